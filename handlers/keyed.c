#include "handlers/keyed.h"

#include <stdlib.h>
#include <string.h>

static const struct statement KEYED_TAKE = {.name = "keyed_take", .sql = "select keyed_take($1)", .params = 1};
static const struct statement KEYED_RELEASE = {.name = "keyed_release", .sql = "select keyed_release($1)", .params = 1};
static const struct statement KEYED_SEEN = {
        .name = "keyed_seen",
        .sql = "select " API_WRITE_COLUMNS " from keyed_seen($1)",
        .params = 1,
};
static const struct statement KEYED_CALL = {
        .name = "keyed_call",
        .sql = "select " API_WRITE_COLUMNS " from api_write($1, $2, $3)",
        .params = 3,
};

static char *text_of(json_t *json /* taken */)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return text;
}

void keyed_reply(struct keyed *k, const PGresult *written)
{
	const struct rows rows = {.pg = written, .count = PQntuples(written)};
	reply_written(k->rq, &rows);
}

static bool take(struct keyed *k)
{
	const char *const params[] = {k->context};
	PGresult *res = NULL;
	if (!work_ok(k->rq, k->db, db_run(k->db, &KEYED_TAKE, params, &res)))
		return false;
	k->taken = PQgetvalue(res, 0, 0)[0] == 't';
	PQclear(res);
	if (!k->taken)
		reply_problem(k->rq, CODE_IDEMPOTENCY_IN_FLIGHT, NULL, 0);
	return k->taken;
}

/* True when nothing was answered under the key yet. */
static bool unseen(struct keyed *k)
{
	const char *const params[] = {k->context};
	PGresult *res = NULL;
	if (!work_ok(k->rq, k->db, db_run(k->db, &KEYED_SEEN, params, &res)))
		return false;
	bool seen = PQntuples(res) > 0;
	if (seen)
		keyed_reply(k, res);
	PQclear(res);
	return !seen;
}

static bool hold(struct keyed *k, struct worker *w, struct request *rq, json_t *context)
{
	*k = (struct keyed){.db = worker_db(w), .rq = rq, .context = text_of(context)};
	if (!k->context) {
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
		return false;
	}
	return !request_idempotency_key(rq) || take(k);
}

static bool begin(struct keyed *k, struct worker *w, struct request *rq, json_t *context)
{
	if (hold(k, w, rq, context) && (!request_idempotency_key(rq) || unseen(k)))
		return true;
	keyed_end(k);
	return false;
}

bool keyed_begin(struct keyed *k, struct worker *w, struct request *rq)
{
	return begin(k, w, rq, request_context(rq));
}

/* The context in which the body's hash takes part in the request's. Takes the reference. */
static json_t *with_body(json_t *context, const char *body_sha256)
{
	const char *head = json_string_value(json_object_get(context, "request_sha256"));
	json_t *both = json_sprintf("%s %s", head ? head : "", body_sha256);
	if (context && both && json_object_set_new(context, "request_sha256", both) == 0)
		return context;
	json_decref(context);
	return NULL;
}

bool keyed_begin_hashed(struct keyed *k, struct worker *w, struct request *rq, const char *body_sha256)
{
	return begin(k, w, rq, with_body(request_context(rq), body_sha256));
}

bool keyed_hold(struct keyed *k, struct worker *w, struct request *rq)
{
	return hold(k, w, rq, request_context(rq));
}

bool keyed_answered(struct keyed *k, bool *answered)
{
	PGresult *res = NULL;
	*answered = false;
	if (!request_idempotency_key(k->rq))
		return true;
	if (!work_ok(k->rq, k->db, db_run(k->db, &KEYED_SEEN, (const char *const[]){k->context}, &res)))
		return false;
	*answered = PQntuples(res) > 0;
	PQclear(res);
	return true;
}

bool keyed_add_body(struct keyed *k, const char *body_sha256)
{
	free(k->context);
	k->context = text_of(with_body(request_context(k->rq), body_sha256));
	return k->context;
}

void keyed_replay(struct keyed *k)
{
	if (unseen(k)) /* forgotten meanwhile, after its days: the caller may send it again */
		reply_problem(k->rq, CODE_CONFLICT, NULL, 0);
}

void keyed_end(struct keyed *k)
{
	if (k->taken) {
		PGresult *res = NULL;
		enum db_status status = db_run(k->db, &KEYED_RELEASE, (const char *const[]){k->context}, &res);
		(void)status; /* gone with the connection otherwise */
		PQclear(res);
	}
	free(k->context);
	*k = (struct keyed){0};
}

enum db_status keyed_call(struct keyed *k, const char *op, json_t *args, PGresult **out)
{
	char *text = text_of(args);
	*out = NULL;
	enum db_status status = text ? db_run(k->db, &KEYED_CALL, (const char *const[]){k->context, op, text}, out) : DB_FAILED;
	free(text);
	return status;
}

bool keyed_write(struct keyed *k, const char *op, json_t *args)
{
	PGresult *res = NULL;
	if (!work_ok(k->rq, k->db, keyed_call(k, op, args, &res)))
		return false;
	bool done = PQgetisnull(res, 0, 1);
	keyed_reply(k, res);
	PQclear(res);
	return done;
}

void keyed_answer(struct keyed *k, int status, struct buf *body, const char *etag)
{
	if (request_idempotency_key(k->rq) && !request_dry_run(k->rq)) {
		keyed_write(k, "answer", json_pack("{s:i, s:s%, s:s?}", "status", status, "body", body->data, body->len, "etag", etag));
		buf_free(body);
		return;
	}
	if (etag)
		reply_etag(k->rq, etag);
	reply_json(k->rq, status, body);
}
