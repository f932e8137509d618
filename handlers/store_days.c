/* The platform's figures of a store, day by day. A partner sees the days on which the store was bound to its provider. */
#include "base/civil.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/known.h"
#include "model/store/stores.h"

struct days {
	struct page page;
	const char *params[6]; /* of STORE_DAY_LIST */
	const char *visible[2]; /* of STORE_VISIBLE */
};

static void days_reply(struct request *rq, const struct rows *rows)
{
	const struct days *d = request_state(rq);
	reply_page(rq, &d->page, rows);
}

static void store_found(struct request *rq, const struct rows *rows)
{
	const struct days *d = request_state(rq);
	if (rows->count == 0)
		reply_not_found(rq);
	else
		request_read(rq, &STORE_DAY_LIST, d->params, days_reply);
}

static void list_days(struct worker *w, struct request *rq)
{
	const struct days *d = request_state(rq);
	struct rows rows;
	if (!work_read(w, rq, &STORE_VISIBLE, d->visible, &rows))
		return;
	if (rows.count == 0)
		reply_not_found(rq);
	else if (work_read(w, rq, &STORE_DAY_LIST, d->params, &rows))
		days_reply(rq, &rows);
}

static void list_as_known(struct worker *w, struct request *rq)
{
	known_read(w, rq, list_days);
}

void handle_store_day_list(struct request *rq)
{
	struct days *d = request_alloc(rq, sizeof *d);
	const char *id = request_param(rq, "id"), *whose = whose_alone(rq), *from, *through;
	int32_t after;
	FAULTS_HERE(f);
	bool as_known = known_at_asked(rq, &f);
	query_span(rq, &from, &through, &f);
	(void)request_page(rq, &d->page, &f);
	if (faults_any(&f)) {
		reply_faults(rq, &f);
		return;
	}
	*d = (struct days){.page = d->page,
	                   .params = {id, d->page.after, request_printf(rq, "%d", d->page.limit + 1), from, through, whose},
	                   .visible = {id, whose}};
	if (d->page.after && !civil_parse(d->page.after, &after))
		d->params[1] = "-infinity"; /* no cursor of ours: past the end */
	request_set_state(rq, d);
	if (as_known)
		request_work(rq, list_as_known);
	else
		request_read(rq, &STORE_VISIBLE, d->visible, store_found);
}
