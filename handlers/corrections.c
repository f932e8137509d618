/* Corrections of decisions: proposed on today's facts, confirmed by another person, or rejected. */
#include "model/store/corrections.h"

#include "handlers/decided.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "model/rules/correction.h"
#include "model/store/review.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1000, OBSTACLES_BYTES_MAX = 1024 * 1024 };

/* ---- proposing ---- */

static const struct statement DECISION_EXISTS = {
        .name = "decision_exists",
        .sql = "select from decision where decision_id = $1",
        .params = 1,
};

static enum db_status propose_reviewed(struct decided *d, const char *decision_id, const struct reviewed *r)
{
	const char *reason = json_string_value(json_object_get(request_body(d->keyed->rq), "reason"));
	const struct verdict *v = &r->verdict;
	char decided_on[DAY_TEXT];
	return keyed_call(d->keyed, "correction_propose",
	                  json_pack("{s:s, s:s, s:b, s:s, s:s, s:s%, s:s, s:s, s:s, s:s%}", "decision_id", decision_id,
	                            "reason", reason, "differs", r->differs, "outcome", v->met ? "met" : "not_met",
	                            "decided_on", day_text(r->decided_on, decided_on), "document", v->document.data,
	                            v->document.len, "sha256", v->sha256, "evaluation_sha256", r->evaluation_sha256, "engine",
	                            DOCUMENT_ENGINE, "changes", r->changes.data, r->changes.len),
	                  &d->written);
}

static enum db_status propose_body(struct db *db, void *arg)
{
	struct decided *d = arg;
	const char *const id[] = {request_param(d->keyed->rq, "id")};
	struct reviewed r;
	PGresult *res = NULL;
	enum db_status status = db_run(db, &DECISION_EXISTS, id, &res);
	if (status != DB_OK)
		return status;
	d->missing = PQntuples(res) == 0;
	PQclear(res);
	if (d->missing)
		return DB_OK;
	status = review(db, id, 1, true, &r);
	if (status == DB_OK)
		status = r.readable ? propose_reviewed(d, id[0], &r) : DB_FAILED;
	reviewed_free(&r);
	return status;
}

static void propose(struct worker *w, struct request *rq)
{
	decide_on_facts(w, rq, propose_body);
}

void handle_decision_correct(struct request *rq)
{
	const char *reason = NULL;
	const struct field fields[] = {
	        {.name = "reason", .kind = FIELD_STRING, .out = &reason, .required = true, .min = 1, .max = TEXT_MAX}};
	FAULTS_HERE(f);
	if (json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f))
		request_work(rq, propose);
	else
		reply_faults(rq, &f);
}

/* ---- confirming ---- */

/* A correction as it was read, and what its decision is on today's facts. */
struct confirmation {
	struct decided *d;
	const PGresult *row;
	struct reviewed seen;
	struct correction_facts facts;
	json_t *later_periods, *running_refunds; /* owned: what `facts` points into */
};

static const char *column(const struct confirmation *c, int at)
{
	return PQgetvalue(c->row, 0, at);
}

static bool is_true(const struct confirmation *c, int at)
{
	return column(c, at)[0] == 't';
}

/* The strings of a JSON array; they live as long as it, the list as long as the request. */
static const char *const *ids_of(struct request *rq, const json_t *list, size_t *n)
{
	*n = json_array_size(list);
	const char **ids = request_alloc(rq, (*n + 1) * sizeof *ids);
	for (size_t i = 0; i < *n; i++)
		ids[i] = json_string_value(json_array_get(list, i));
	return ids;
}

static void read_facts(struct confirmation *c)
{
	struct request *rq = c->d->keyed->rq;
	struct correction_facts *f = &c->facts;
	c->later_periods = json_loads(column(c, CORRECTION_LATER_PERIODS), 0, NULL);
	c->running_refunds = json_loads(column(c, CORRECTION_RUNNING_REFUNDS), 0, NULL);
	*f = (struct correction_facts){.was_met = c->seen.was_met,
	                               .met = c->seen.met,
	                               .provider_id = column(c, CORRECTION_PROVIDER),
	                               .own_application = is_true(c, CORRECTION_OWN_APPLICATION),
	                               .application = column(c, CORRECTION_APPLICATION),
	                               .exited_since = is_true(c, CORRECTION_EXITED_SINCE),
	                               .scope_changed = c->seen.scope_changed || !is_true(c, CORRECTION_CATEGORIES_KEPT)};
	(void)period_status_by_name(column(c, CORRECTION_PERIOD_STATUS), &f->period_status);
	(void)provider_status_by_name(column(c, CORRECTION_PROVIDER_STATUS), &f->status);
	f->later_periods = ids_of(rq, c->later_periods, &f->later_period_count);
	f->running_refunds = ids_of(rq, c->running_refunds, &f->running_refund_count);
}

/* `{"obstacles":[...]}` as a string; NULL: out of memory. */
static json_t *obstacles_text(const struct obstacle *obstacles, size_t n, enum lang lang)
{
	struct buf text = BUF_INIT(OBSTACLES_BYTES_MAX);
	struct json_writer w = json_writer_on(&text);
	jw_object(&w);
	jw_key(&w, "obstacles");
	obstacles_json(&w, obstacles, n, lang);
	jw_object_end(&w);
	json_t *string = text.failed ? NULL : json_stringn(text.data, text.len);
	buf_free(&text);
	return string;
}

static enum db_status refuse_blocked(struct confirmation *c, const struct obstacle *obstacles, size_t n)
{
	struct request *rq = c->d->keyed->rq;
	json_t *extra = obstacles_text(obstacles, n, request_lang(rq));
	return extra ? decided_refuse(c->d, CODE_CORRECTION_BLOCKED, json_pack("[s]", request_printf(rq, "%zu", n)), extra)
	             : DB_FAILED;
}

/* Today's facts give something else than was proposed: it is over, and that stays so whatever the answer. */
static enum db_status refuse_lapsed(struct confirmation *c, struct db *db)
{
	const char *const params[] = {request_param(c->d->keyed->rq, "id"), c->d->keyed->context};
	PGresult *res = NULL;
	enum db_status status = request_dry_run(c->d->keyed->rq) ? DB_OK : db_run(db, &CORRECTION_LAPSE, params, &res);
	PQclear(res);
	return status == DB_OK ? decided_refuse(c->d, CODE_CORRECTION_LAPSED, json_array(), NULL) : status;
}

static json_t *confirm_args(const struct confirmation *c, const char *consequence)
{
	const struct buf *progress = &c->seen.verdict.progress;
	json_t *args = args_with_id(c->d->keyed->rq, "correction_id");
	if (consequence) {
		json_object_set_new(args, "consequence", json_string(consequence));
		json_object_set_new(args, "progress", json_stringn(progress->data, progress->len));
	}
	return args;
}

static enum db_status confirm_unchanged(struct confirmation *c)
{
	read_facts(c);
	struct obstacle *obstacles = request_alloc(c->d->keyed->rq, correction_obstacles_max(&c->facts) * sizeof *obstacles);
	size_t n = correction_obstacles(&c->facts, obstacles);
	enum db_status status =
	        n ? refuse_blocked(c, obstacles, n)
	          : keyed_call(c->d->keyed, "correction_confirm",
	                       confirm_args(c, correction_consequence_name(correction_consequence(&c->facts))), &c->d->written);
	json_decref(c->later_periods);
	json_decref(c->running_refunds);
	return status;
}

static enum db_status confirm_read(struct confirmation *c, struct db *db)
{
	const char *const decision[] = {column(c, CORRECTION_DECISION)};
	if (strcmp(column(c, CORRECTION_STATUS), "proposed") != 0) /* said there, and nothing is computed for it */
		return keyed_call(c->d->keyed, "correction_confirm", confirm_args(c, NULL), &c->d->written);
	enum db_status status = review(db, decision, 1, true, &c->seen);
	if (status == DB_OK && !c->seen.readable)
		status = DB_FAILED;
	else if (status == DB_OK && strcmp(c->seen.evaluation_sha256, column(c, CORRECTION_EVALUATION_SHA256)) != 0)
		status = refuse_lapsed(c, db);
	else if (status == DB_OK)
		status = confirm_unchanged(c);
	reviewed_free(&c->seen);
	return status;
}

static enum db_status confirm_body(struct db *db, void *arg)
{
	struct confirmation c = {.d = arg};
	const char *const params[] = {request_param(c.d->keyed->rq, "id")};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &CORRECTION_SNAPSHOT, params, &res);
	if (status != DB_OK)
		return status;
	c.row = res;
	c.d->missing = PQntuples(res) == 0;
	if (!c.d->missing)
		status = confirm_read(&c, db);
	PQclear(res);
	return status;
}

static void confirm(struct worker *w, struct request *rq)
{
	decide_on_facts(w, rq, confirm_body);
}

void handle_correction_confirm(struct request *rq)
{
	const char *sha256 = NULL, *note = NULL;
	const struct field fields[] = {
	        {.name = "sha256", .kind = FIELD_STRING, .out = &sha256},
	        {.name = "note", .kind = FIELD_STRING, .out = &note, .min = 1, .max = TEXT_MAX},
	};
	FAULTS_HERE(f);
	(void)!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f);
	check_sha256(sha256, "/sha256", &f);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else
		request_work(rq, confirm);
}

void handle_correction_reject(struct request *rq)
{
	const char *reason = NULL;
	const struct field fields[] = {
	        {.name = "reason", .kind = FIELD_STRING, .out = &reason, .required = true, .min = 1, .max = TEXT_MAX}};
	FAULTS_HERE(f);
	if (json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f))
		request_write(rq, "correction_reject", args_with_id(rq, "correction_id"));
	else
		reply_faults(rq, &f);
}

/* ---- reading ---- */

static void correction_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0 || !request_may_see(rq, rows_text(rows, 0, 1))) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, 2);
	reply_etag(rq, rows_text(rows, 0, 3));
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_correction_get(struct request *rq)
{
	request_read_key(rq, &CORRECTION_BY_ID, request_param(rq, "id"), correction_reply);
}

void handle_correction_list(struct request *rq)
{
	static const char *const statuses[] = {"proposed", "confirmed", "rejected", "withdrawn", "lapsed", NULL};
	const char *status = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "status", statuses, &status, &f);
	const char *filters[] = {list_whose(rq), status, request_query(rq, "decision_id"), request_query(rq, "provider_id")};
	list_of_all(rq, &CORRECTION_LIST, filters, COUNT_OF(filters), &f);
}
