/* Lists: read the page, see that what it hangs on exists, select limit + 1 rows, reply. */
#include "handlers/input.h"
#include "model/store/providers.h"

#include <assert.h>

static struct listing *listing_new(struct request *rq, const struct statement *list, const char *of, const char *const *filters,
                                   size_t nfilters, struct faults *f)
{
	struct listing *l = request_alloc(rq, sizeof *l);
	bool ok = request_page(rq, &l->page, f);
	if (!ok || faults_any(f)) {
		reply_faults(rq, f);
		return NULL;
	}
	l->list = list;
	if (of)
		l->params[l->nparams++] = of;
	l->params[l->nparams++] = l->page.after;
	l->params[l->nparams++] = request_printf(rq, "%d", l->page.limit + 1);
	for (size_t i = 0; i < nfilters; i++)
		l->params[l->nparams++] = filters[i];
	assert((int)l->nparams == list->params);
	request_set_state(rq, l);
	return l;
}

void page_reply(struct request *rq, const struct rows *rows)
{
	const struct listing *l = request_state(rq);
	reply_page(rq, &l->page, rows);
}

void list_of_all(struct request *rq, const struct statement *list, const char *const *filters, size_t nfilters,
                 struct faults *f)
{
	struct listing *l = listing_new(rq, list, NULL, filters, nfilters, f);
	if (l)
		request_read(rq, list, l->params, page_reply);
}

struct listing *listing_below(struct request *rq, const struct statement *list, const char *const *filters, size_t nfilters,
                              struct faults *f)
{
	return listing_new(rq, list, request_param(rq, "id"), filters, nfilters, f);
}

struct listing *listing_of_provider(struct request *rq, const struct statement *list, const char *const *filters,
                                    size_t nfilters, struct faults *f)
{
	const char *provider_id = request_param(rq, "id");
	if (!request_may_see(rq, provider_id)) {
		reply_not_found(rq);
		return NULL;
	}
	return listing_new(rq, list, provider_id, filters, nfilters, f);
}

static void provider_checked(struct request *rq, const struct rows *rows)
{
	struct listing *l = request_state(rq);
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	request_read(rq, l->list, l->params, page_reply);
}

void list_of_provider(struct request *rq, const struct statement *list, const char *const *filters, size_t nfilters,
                      struct faults *f)
{
	if (listing_of_provider(rq, list, filters, nfilters, f))
		request_read_key(rq, &PROVIDER_EXISTS, request_param(rq, "id"), provider_checked);
}
