/* A provider's stores, and whether each counts in the running period now: judged afresh by the evaluator, on a worker. */
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/known.h"
#include "model/store/array_param.h"
#include "model/store/gather.h"
#include "model/store/providers.h"
#include "model/store/stores.h"
#include "server/log.h"

#include <stdlib.h>

/* What the list statement is told of the verdicts. */
struct counting {
	struct gather_want want;
	const char *as_of_text;
	struct gathered *gathered; /* owned */
	struct array_param ids, counted, reasons;
};

static enum db_status gather_now(struct db *db, void *arg)
{
	struct counting *c = arg;
	gathered_free(c->gathered);
	c->gathered = NULL;
	return gather(db, &c->want, 1, &c->gathered);
}

/* Counted by any policy is counted: meeting any suffices. Else the first policy's reason. */
static void add_store(struct counting *c, const struct evaluation *e, const struct evaluation_input *in, size_t store)
{
	enum store_reason reason = e->policies[0].stores[store].reason;
	for (size_t p = 0; p < e->policy_count; p++)
		if (e->policies[p].stores[store].reason == REASON_NONE)
			reason = REASON_NONE;
	array_text(&c->ids, in->stores[store].store_id);
	array_bool(&c->counted, reason == REASON_NONE);
	array_text(&c->reasons, store_reason_name(reason));
}

static bool judge(struct counting *c)
{
	if (c->gathered->count == 0)
		return true; /* it was closed a moment ago */
	const struct gathered_period *p = &c->gathered->periods[0];
	struct evaluation e;
	if (p->unreadable || evaluate(&p->input, &e) != EVALUATION_OK) {
		log_line(LOG_ERROR, "a period cannot be evaluated", "period_id", p->period_id, "why",
		         p->unreadable ? p->unreadable : "evaluate", NULL);
		return false;
	}
	for (size_t i = 0; i < e.store_count; i++)
		add_store(c, &e, &p->input, i);
	evaluation_free(&e);
	return true;
}

static bool count_stores(struct worker *w, struct request *rq, struct counting *c)
{
	const char *params[] = {request_param(rq, "id")};
	struct rows running;
	if (!work_read(w, rq, &PERIOD_COUNTING, params, &running))
		return false;
	if (running.count == 0)
		return true;
	c->want = (struct gather_want){
	        .period_id = rows_text(&running, 0, 0), .as_of = (day)rows_int(&running, 0, 1), .every_store = true};
	c->as_of_text = rows_text(&running, 0, 2);
	if (!work_ok(rq, worker_db(w), db_transaction(worker_db(w), "repeatable read", gather_now, c)))
		return false;
	if (judge(c))
		return true;
	reply_problem(rq, CODE_INTERNAL, NULL, 0);
	return false;
}

static void list_with_verdicts(struct worker *w, struct request *rq, struct counting *c)
{
	struct listing *l = request_state(rq);
	struct rows page;
	l->params[3] = c->want.period_id;
	l->params[4] = c->as_of_text;
	l->params[5] = array_done(&c->ids);
	l->params[6] = array_done(&c->counted);
	l->params[7] = array_done(&c->reasons);
	if (!l->params[5] || !l->params[6] || !l->params[7])
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	else if (work_read(w, rq, l->list, l->params, &page))
		page_reply(rq, &page);
}

static void list_stores(struct worker *w, struct request *rq)
{
	struct counting c = {.ids = array_param(), .counted = array_param(), .reasons = array_param()};
	if (count_stores(w, rq, &c))
		list_with_verdicts(w, rq, &c);
	array_free(&c.ids);
	array_free(&c.counted);
	array_free(&c.reasons);
	gathered_free(c.gathered);
}

static void find_and_list(struct worker *w, struct request *rq)
{
	struct rows rows;
	if (!work_read_key(w, rq, &PROVIDER_EXISTS, request_param(rq, "id"), &rows))
		return;
	if (rows.count == 0)
		reply_not_found(rq);
	else
		list_stores(w, rq);
}

static void list_as_known(struct worker *w, struct request *rq)
{
	known_read(w, rq, find_and_list);
}

static void provider_found(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0)
		reply_not_found(rq);
	else
		request_work(rq, list_stores);
}

void handle_provider_store_list(struct request *rq)
{
	const char *const later[] = {NULL, NULL, NULL, NULL, NULL}; /* the verdicts, once they are known */
	FAULTS_HERE(f);
	bool as_known = known_at_asked(rq, &f);
	if (!listing_of_provider(rq, &PROVIDER_STORE_LIST, later, COUNT_OF(later), &f))
		return;
	if (as_known)
		request_work(rq, list_as_known);
	else
		request_read_key(rq, &PROVIDER_EXISTS, request_param(rq, "id"), provider_found);
}
