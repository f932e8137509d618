/* Early conversion (3.2): the running trial is evaluated as of the watermark, and ends today when it is met. Evaluation, decision,
 * idempotency key, audit entry and events are one transaction, during which no import is merged. */
#include "base/json_write.h"
#include "handlers/decided.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "model/store/gather.h"
#include "model/store/verdict.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct statement CONVERSION_STATE = {
        .name = "conversion_state",
        .sql = "select p.status, d.period_id, d.status, d.stage, d.start_day - date '1970-01-01', d.end_day - date "
               "'1970-01-01',"
               " (select day from watermark) - date '1970-01-01', assay_today() - date '1970-01-01'"
               " from provider p left join period d on d.provider_id = p.provider_id"
               " and d.status in ('scheduled', 'open', 'awaiting_data') where p.provider_id = $1",
        .params = 1,
};

static day day_at(const PGresult *res, int column)
{
	return PQgetisnull(res, 0, column) ? DAY_NONE : (day)strtol(PQgetvalue(res, 0, column), NULL, 10);
}

static enum db_status refuse_not_met(struct decided *d, day as_of, const struct verdict *v)
{
	char text[DAY_TEXT];
	struct buf extra = BUF_INIT(VERDICT_BYTES_MAX);
	struct json_writer w = json_writer_on(&extra);
	jw_object(&w);
	jw_key(&w, "evaluation");
	jw_raw(&w, v->progress.data, v->progress.len);
	jw_object_end(&w);
	enum db_status status = extra.failed ? DB_FAILED
	                                     : decided_refuse(d, CODE_NOT_MET, json_pack("[s]", day_text(as_of, text)),
	                                                      json_stringn(extra.data, extra.len));
	buf_free(&extra);
	return status;
}

static enum db_status convert_met(struct decided *d, const struct gathered_period *p, const struct verdict *v)
{
	char decided_on[DAY_TEXT];
	const char *note = json_string_value(json_object_get(request_body(d->keyed->rq), "note"));
	return keyed_call(d->keyed, "early_convert",
	                  json_pack("{s:s, s:s, s:s, s:s%, s:s%, s:s, s:s, s:s*}", "provider_id", p->provider_id, "period_id",
	                            p->period_id, "decided_on", day_text(p->origin.decided_on, decided_on), "document",
	                            v->document.data, v->document.len, "progress", v->progress.data, v->progress.len, "sha256",
	                            v->sha256, "engine", DOCUMENT_ENGINE, "note", note),
	                  &d->written);
}

static enum db_status judge(struct decided *d, const struct gather_want *want)
{
	struct gathered *g = NULL;
	enum db_status status = gather(d->keyed->db, want, 1, &g);
	if (status != DB_OK)
		return status;
	assert(g->count == 1); /* it was read in the same snapshot */
	struct verdict v;
	if (!verdict_of(&g->periods[0], VERDICT_DECISION, &v))
		status = DB_FAILED;
	else if (v.met)
		status = convert_met(d, &g->periods[0], &v);
	else
		status = refuse_not_met(d, want->as_of, &v);
	verdict_free(&v);
	gathered_free(g);
	return status;
}

/* What stands in the way, or the evaluation. */
static enum db_status decide(struct decided *d, const PGresult *res)
{
	const char *provider_status = PQgetvalue(res, 0, 0);
	day start = day_at(res, 4), end = day_at(res, 5), watermark = day_at(res, 6), today = day_at(res, 7);
	if (strcmp(provider_status, "trial") != 0)
		return decided_refuse(d, CODE_WRONG_STATE, json_pack("[s, s, s]", "provider", provider_status, "trial"), NULL);
	if (strcmp(PQgetvalue(res, 0, 2), "open") != 0 || today > end)
		return decided_refuse(d, CODE_WRONG_STATE, json_pack("[s, s, s]", "period", "awaiting_data", "open"), NULL);
	if (watermark == DAY_NONE || watermark < start)
		return decided_refuse(d, CODE_NO_WATERMARK, json_array(), NULL);
	day as_of = watermark < today ? watermark : today;
	return judge(d, &(struct gather_want){.period_id = PQgetvalue(res, 0, 1), .as_of = as_of, .imports = true});
}

static enum db_status convert_body(struct db *db, void *arg)
{
	struct decided *d = arg;
	const char *const params[] = {request_param(d->keyed->rq, "id")};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &CONVERSION_STATE, params, &res);
	if (status != DB_OK)
		return status;
	d->missing = PQntuples(res) == 0;
	if (!d->missing)
		status = decide(d, res);
	PQclear(res);
	return status;
}

static void convert(struct worker *w, struct request *rq)
{
	decide_on_facts(w, rq, convert_body);
}

void handle_early_conversion(struct request *rq)
{
	const char *note = NULL;
	const struct field fields[] = {{.name = "note", .kind = FIELD_STRING, .out = &note, .min = 1, .max = 1000}};
	FAULTS_HERE(f);
	if (!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f))
		reply_faults(rq, &f);
	else if (!request_may_see(rq, request_param(rq, "id")))
		reply_not_found(rq);
	else
		request_work(rq, convert);
}
