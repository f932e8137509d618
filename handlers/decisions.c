/* Decisions, their documents as files, and their replay. */
#include "model/store/decisions.h"

#include "base/json_write.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/keyed.h"
#include "server/log.h"

#include <string.h>

enum { COLUMN_PROVIDER, COLUMN_TEXT, COLUMN_ETAG, COLUMN_SHA256 = 3 };

static const char *const OUTCOMES[] = {"met", "not_met", NULL};

/* The decision's row, or 404. */
static bool found(struct request *rq, const struct rows *rows)
{
	if (rows->count == 1 && request_may_see(rq, rows_text(rows, 0, COLUMN_PROVIDER)))
		return true;
	reply_not_found(rq);
	return false;
}

static void read_by_id(struct request *rq, const struct statement *st, rows_fn then)
{
	const char *const params[] = {request_param(rq, "id")};
	request_read(rq, st, params, then);
}

static void decision_reply(struct request *rq, const struct rows *rows)
{
	if (!found(rq, rows))
		return;
	const char *body = rows_text(rows, 0, COLUMN_TEXT);
	reply_etag(rq, rows_text(rows, 0, COLUMN_ETAG));
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_decision_get(struct request *rq)
{
	read_by_id(rq, &DECISION_BY_ID, decision_reply);
}

static void evidence_reply(struct request *rq, const struct rows *rows)
{
	if (!found(rq, rows))
		return;
	const char *evidence = rows_text(rows, 0, COLUMN_TEXT);
	reply_header(rq, "Content-Disposition",
	             request_printf(rq, "attachment; filename=\"%s.evidence.json\"", request_param(rq, "id")));
	reply_etag(rq, rows_text(rows, 0, COLUMN_ETAG));
	reply_json_text(rq, 200, evidence, strlen(evidence));
}

void handle_decision_evidence(struct request *rq)
{
	read_by_id(rq, &DECISION_EVIDENCE, evidence_reply);
}

/* ---- list ---- */

/* Whose decisions are asked for: a partner sees only its own, whatever it asks for. NULL: anybody's. */
static const char *provider_wanted(const struct request *rq)
{
	const char *asked = request_query(rq, "provider_id");
	if (asked && !request_may_see(rq, asked))
		return "";
	return asked ? asked : request_caller(rq)->role == ROLE_PARTNER ? request_caller(rq)->provider_id : NULL;
}

void handle_decision_list(struct request *rq)
{
	static const char *const only_true[] = {"true", NULL};
	const char *outcome = NULL, *stale = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "outcome", OUTCOMES, &outcome, &f);
	(void)request_query_word(rq, "stale", only_true, &stale, &f);
	const char *period = request_query(rq, "period_id");
	const char *provider = provider_wanted(rq);
	if (!provider && request_caller(rq)->role == ROLE_PARTNER)
		provider = ""; /* its key has no provider yet */
	const char *const filters[] = {outcome, period ? period : provider, provider};
	if (stale)
		list_of_all(rq, &DECISION_LIST_STALE, (const char *const[]){outcome, provider, period}, 3, &f);
	else if (period)
		list_of_all(rq, &DECISION_LIST_OF_PERIOD, filters, 3, &f);
	else if (provider)
		list_of_all(rq, &DECISION_LIST_OF_PROVIDER, filters, 2, &f);
	else
		list_of_all(rq, &DECISION_LIST, filters, 1, &f);
}

/* ---- replay ---- */

static void replay_write(struct buf *out, const char *decision_id, const struct replay *r)
{
	struct json_writer w = json_writer_on(out);
	jw_object(&w);
	jw_kstring(&w, "decision_id", decision_id);
	jw_kbool(&w, "identical", r->identical);
	jw_kstring(&w, "outcome", r->met ? "met" : "not_met");
	jw_kstring(&w, "sha256", r->sha256);
	jw_key(&w, "document");
	jw_raw(&w, r->document.data, r->document.len);
	jw_object_end(&w);
}

static void replay_reply(struct keyed *k, const struct rows *rows)
{
	const char *id = request_param(k->rq, "id");
	const char *evidence = rows_text(rows, 0, COLUMN_TEXT);
	struct buf body = BUF_INIT((size_t)-1);
	struct replay r;
	if (replay_decision(evidence, strlen(evidence), rows_text(rows, 0, 2), &r)) {
		replay_write(&body, id, &r);
		if (!r.identical)
			log_line(LOG_ERROR, "a decision does not replay to its own document", "decision_id", id, "sha256",
			         rows_text(rows, 0, COLUMN_SHA256), "recomputed", r.sha256, NULL);
		keyed_answer(k, 200, &body, NULL);
	} else {
		log_line(LOG_ERROR, "a decision cannot be evaluated any more", "decision_id", id, NULL);
		reply_problem(k->rq, CODE_INTERNAL, NULL, 0);
	}
	replay_free(&r);
}

static void replay(struct worker *w, struct request *rq)
{
	const char *const params[] = {request_param(rq, "id")};
	struct rows rows;
	struct keyed k;
	if (!work_read(w, rq, &DECISION_REPLAY, params, &rows) || !found(rq, &rows) || !keyed_begin(&k, w, rq))
		return;
	replay_reply(&k, &rows);
	keyed_end(&k);
}

void handle_decision_replay(struct request *rq)
{
	FAULTS_HERE(f);
	if (!json_fields(request_body(rq), "", NULL, 0, &f))
		reply_faults(rq, &f);
	else
		request_work(rq, replay);
}
