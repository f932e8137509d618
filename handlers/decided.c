#include "handlers/decided.h"

#include "model/store/close.h"

#include <string.h>

enum { AGAIN_MAX = 3 };

struct decision_work {
	struct decided decided;
	enum db_status (*body)(struct db *db, void *arg);
};

enum db_status decided_refuse(struct decided *d, enum code code, json_t *args, json_t *extra)
{
	return keyed_call(d->keyed, "refuse",
	                  json_pack("{s:s, s:o, s:o*}", "code", code_name(code), "args", args, "extra", extra), &d->written);
}

static enum db_status run_body(struct db *db, void *arg)
{
	struct decision_work *w = arg;
	PQclear(w->decided.written);
	w->decided.written = NULL;
	w->decided.missing = false;
	return w->body(db, &w->decided);
}

/* What it was decided on has changed meanwhile. */
static bool again(const struct decided *d)
{
	return d->written && strcmp(PQgetvalue(d->written, 0, 1), "again") == 0;
}

static void reply(const struct decided *d)
{
	struct keyed *k = d->keyed;
	if (d->missing)
		reply_not_found(k->rq);
	else if (again(d))
		reply_problem(k->rq, CODE_CONFLICT, NULL, 0);
	else
		keyed_reply(k, d->written);
}

static void run(struct decision_work *w)
{
	struct keyed *k = w->decided.keyed;
	enum db_status status = facts_lock_shared(k->db);
	if (!work_ok(k->rq, k->db, status))
		return;
	for (int tried = 0; tried < AGAIN_MAX && (tried == 0 || again(&w->decided)) && status == DB_OK; tried++)
		status = db_transaction(k->db, "repeatable read", run_body, w);
	facts_unlock_shared(k->db);
	if (work_ok(k->rq, k->db, status))
		reply(&w->decided);
	PQclear(w->decided.written);
}

void decide_on_facts(struct worker *w, struct request *rq, enum db_status (*body)(struct db *db, void *arg))
{
	struct keyed k;
	if (!keyed_begin(&k, w, rq))
		return;
	run(&(struct decision_work){.decided = {.keyed = &k}, .body = body});
	keyed_end(&k);
}
