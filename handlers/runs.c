/* Assessment runs. A small one is over when its creation is answered; a larger one goes on in the background. */
#include "model/store/runs.h"

#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/keyed.h"
#include "server/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ANSWER_WITHIN_MS = 2000, POLL_MS = 25 };

static const char *const STATUSES[] = {"queued", "running", "done", "failed", NULL};
static const char *const OUTCOMES[] = {"met", "not_met", "awaiting_data", NULL};
static const char LOCATION[] = "/v1/assessment-runs/";

static bool stopping(void *arg)
{
	return worker_stopping(arg);
}

static void run_on(struct worker *w, void *arg)
{
	char *run_id = arg;
	enum run_end end;
	struct run_work work = {.run_id = run_id, .stopping = stopping, .arg = w};
	if (run_continue(worker_db(w), &work, &end) != DB_OK)
		log_line(LOG_WARN, "a run was interrupted; it is taken up again", "run_id", run_id, NULL);
	free(run_id);
}

/* Whoever else is at it (the schedule found it first): waits for its end, at most until the deadline. */
static void wait_elsewhere(struct keyed *k, const struct run_work *work)
{
	const char *const params[] = {work->run_id};
	for (bool over = false; !over && monotonic_ms() < work->deadline_ms;) {
		PGresult *res = NULL;
		if (db_run(k->db, &RUN_OVER, params, &res) != DB_OK)
			return;
		over = PQntuples(res) > 0;
		PQclear(res);
		if (!over)
			nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
	}
}

/* Works on the new run for a moment; what is left goes on in the background. Should that queue be full, or this service die,
 * the schedule takes it up. */
static void run_begun(struct keyed *k, struct worker *w, const char *run_id)
{
	struct run_work work = {
	        .run_id = run_id, .deadline_ms = monotonic_ms() + ANSWER_WITHIN_MS, .stopping = stopping, .arg = w};
	enum run_end end;
	if (run_continue(k->db, &work, &end) != DB_OK)
		return;
	if (end == RUN_ELSEWHERE)
		wait_elsewhere(k, &work);
	char *left = end == RUN_PAUSED ? strdup(run_id) : NULL;
	if (left && !workers_submit(run_on, left))
		free(left);
}

static void run_reply(struct keyed *k, const char *location)
{
	const char *const params[] = {k->context, location + strlen(LOCATION)};
	PGresult *res = NULL;
	if (!work_ok(k->rq, k->db, db_run(k->db, &RUN_ANSWER, params, &res)))
		return;
	const char *body = PQgetvalue(res, 0, 0);
	reply_header(k->rq, "Location", location);
	reply_json_text(k->rq, 201, body, strlen(body));
	PQclear(res);
}

static void create(struct worker *w, struct request *rq)
{
	struct keyed k;
	if (!keyed_begin(&k, w, rq))
		return;
	PGresult *res = NULL;
	if (work_ok(rq, k.db, keyed_call(&k, "run_create", json_incref(request_state(rq)), &res))) {
		const struct rows rows = {.pg = res, .count = PQntuples(res)};
		const char *location = rows_text(&rows, 0, 7);
		if (location && !rows_text(&rows, 0, 1)) {
			run_begun(&k, w, location + strlen(LOCATION));
			run_reply(&k, location);
		} else {
			keyed_reply(&k, res); /* a refusal, or a dry run: there is no run */
		}
	}
	PQclear(res);
	keyed_end(&k);
}

static void drop(void *json)
{
	json_decref(json);
}

void handle_run_create(struct request *rq)
{
	int32_t as_of = 0;
	bool dry_run = false;
	char text[DAY_TEXT];
	const struct field fields[] = {
	        {.name = "as_of", .kind = FIELD_DAY, .out = &as_of, .required = true},
	        {.name = "dry_run", .kind = FIELD_BOOL, .out = &dry_run},
	};
	FAULTS_HERE(f);
	if (!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f)) {
		reply_faults(rq, &f);
		return;
	}
	json_t *args = json_pack("{s:s, s:b}", "as_of", day_text(as_of, text), "dry_run", dry_run);
	request_on_end(rq, drop, args);
	request_set_state(rq, args);
	request_work(rq, create);
}

/* ---- reads ---- */

static void run_found(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, 0);
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_run_get(struct request *rq)
{
	const char *const params[] = {request_param(rq, "id")};
	request_read(rq, &RUN_BY_ID, params, run_found);
}

void handle_run_list(struct request *rq)
{
	const char *status = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "status", STATUSES, &status, &f);
	list_of_all(rq, &RUN_LIST, &status, 1, &f);
}

static void results_of(struct request *rq, const struct rows *rows)
{
	const struct listing *l = request_state(rq);
	if (rows->count == 0)
		reply_not_found(rq);
	else
		request_read(rq, l->list, l->params, page_reply);
}

void handle_run_results(struct request *rq)
{
	const char *outcome = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "outcome", OUTCOMES, &outcome, &f);
	struct listing *l = listing_below(rq, &RUN_RESULT_LIST, &outcome, 1, &f);
	if (l)
		request_read(rq, &RUN_BY_ID, l->params, results_of);
}
