/* Periods, with their measures so far. Progress that is stale is computed again first, on a worker. */
#include "model/store/periods.h"

#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/known.h"
#include "model/rules/lifecycle.h"
#include "model/store/progress.h"

#include <string.h>

enum { ONE_PROVIDER, ONE_BODY, ONE_ETAG, ONE_STALE };

static void period_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	reply_etag(rq, rows_text(rows, 0, 1 + ONE_ETAG));
	known_reply(rq, rows_text(rows, 0, 1 + ONE_BODY));
}

static void refresh_one(struct worker *w, struct request *rq)
{
	const char *id = request_param(rq, "id");
	struct rows rows;
	if (work_ok(rq, worker_db(w), refresh_progress(worker_db(w), id)) && work_read_key(w, rq, &PERIOD_BY_ID, id, &rows))
		period_reply(rq, &rows);
}

static void period_found(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0 || !request_may_see(rq, rows_text(rows, 0, 1 + ONE_PROVIDER)))
		reply_not_found(rq);
	else if (rows_bool(rows, 0, 1 + ONE_STALE))
		request_work(rq, refresh_one);
	else
		period_reply(rq, rows);
}

static void read_then(struct worker *w, struct request *rq)
{
	struct rows rows;
	if (!work_read_key(w, rq, &PERIOD_BY_ID, request_param(rq, "id"), &rows))
		return;
	if (rows.count == 0 || !request_may_see(rq, rows_text(&rows, 0, 1 + ONE_PROVIDER)))
		reply_not_found(rq);
	else if (rows_bool(&rows, 0, 1 + ONE_STALE))
		refresh_one(w, rq);
	else
		period_reply(rq, &rows);
}

static void read_as_known(struct worker *w, struct request *rq)
{
	known_read(w, rq, read_then);
}

void handle_period_get(struct request *rq)
{
	FAULTS_HERE(f);
	bool as_known = known_at_asked(rq, &f);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else if (as_known)
		request_work(rq, read_as_known);
	else
		request_read_key(rq, &PERIOD_BY_ID, request_param(rq, "id"), period_found);
}

/* ---- a provider's periods ---- */

static void refresh_list(struct worker *w, struct request *rq)
{
	const struct listing *l = request_state(rq);
	struct rows running, page;
	if (!work_read_key(w, rq, &PERIOD_RUNNING, request_param(rq, "id"), &running))
		return;
	if (running.count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *period_id = rows_text(&running, 0, 1);
	if (period_id && !work_ok(rq, worker_db(w), refresh_progress(worker_db(w), period_id)))
		return;
	if (work_read(w, rq, l->list, l->params, &page))
		page_reply(rq, &page);
}

static void list_as_known(struct worker *w, struct request *rq)
{
	known_read(w, rq, refresh_list);
}

static void running_found(struct request *rq, const struct rows *rows)
{
	const struct listing *l = request_state(rq);
	if (rows->count == 0)
		reply_not_found(rq);
	else if (rows_bool(rows, 0, 2))
		request_work(rq, refresh_list);
	else
		request_read(rq, l->list, l->params, page_reply);
}

void handle_period_list(struct request *rq)
{
	static const char *const stages[] = {"trial", "regular", NULL};
	const char *statuses[PERIOD_STATUSES + 1] = {NULL};
	for (int s = 0; s < PERIOD_STATUSES; s++)
		statuses[s] = period_status_name((enum period_status)s);
	const char *stage = NULL, *status = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "stage", stages, &stage, &f);
	(void)request_query_word(rq, "status", statuses, &status, &f);
	bool as_known = known_at_asked(rq, &f);
	const char *filters[] = {stage, status};
	if (!listing_of_provider(rq, &PERIOD_LIST, filters, COUNT_OF(filters), &f))
		return;
	if (as_known)
		request_work(rq, list_as_known);
	else
		request_read_key(rq, &PERIOD_RUNNING, request_param(rq, "id"), running_found);
}
