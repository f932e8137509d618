/* GET .../qualification: the answer callers come for. One statement of point reads on the loop; a worker only when progress is
 * stale, or when this process has not met the policy yet. */
#include "model/store/qualification.h"

#include "handlers/categories.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/known.h"
#include "model/rules/standing.h"
#include "model/store/gaps.h"
#include "model/store/periods.h"
#include "model/store/policy_cache.h"
#include "model/store/progress.h"
#include "server/priority.h"

#include <string.h>

enum {
	ANSWER_BYTES_MAX = 4 * 1024 * 1024,
	BUSY = 2 /* callers that workers are at work for, or will be: the next takes the progress as it was last computed */
};

/* A row, read; what the standing's facts point into. */
struct reading {
	const struct rows *rows;
	struct standing_facts facts;
	struct admission admission;
	struct criterion_gap gaps[REQUIREMENT_NODES];
};

static day day_at(const struct rows *rows, int column)
{
	return rows_text(rows, 0, column) ? (day)rows_int(rows, 0, column) : DAY_NONE;
}

/* What the measures so far leave missing. */
static void read_gaps(struct request *rq, struct reading *r)
{
	const char *text = rows_text(r->rows, 0, QUALIFICATION_GAPS);
	size_t len = text ? strlen(text) + 1 : 0;
	if (!text || r->facts.period_status == PERIOD_SCHEDULED)
		return;
	char *copy = memcpy(request_alloc(rq, len), text, len);
	r->facts.gaps = r->gaps;
	r->facts.progress_known = gaps_read(copy, &r->facts.progress_as_of, r->gaps, &r->facts.gap_count);
}

static void read_period(struct request *rq, struct reading *r)
{
	struct standing_facts *f = &r->facts;
	f->has_period = rows_text(r->rows, 0, QUALIFICATION_PERIOD) != NULL;
	if (!f->has_period)
		return;
	(void)stage_by_name(rows_text(r->rows, 0, QUALIFICATION_STAGE), &f->stage);
	(void)period_status_by_name(rows_text(r->rows, 0, QUALIFICATION_PERIOD_STATUS), &f->period_status);
	f->period_start = day_at(r->rows, QUALIFICATION_START);
	f->period_end = day_at(r->rows, QUALIFICATION_END);
	read_gaps(rq, r);
}

/* What the checks would say to an application made now, without documents. */
static void read_admission(struct reading *r)
{
	const struct standing_facts *f = &r->facts;
	if (!f->policy || !lifecycle_may_apply(f->status))
		return;
	const struct admission_facts facts = {
	        .service_categories = categories_of(rows_text(r->rows, 0, QUALIFICATION_SERVICE_CATEGORIES)),
	        .today = f->today,
	        .reapply_from = f->reapply_from,
	        .reapply_cause = f->reapply_cause,
	        .waiver = f->waiver,
	        .waiver_expires_on = f->waiver_expires_on,
	};
	admission_check(f->policy, &facts, &r->admission);
	r->facts.admission = &r->admission;
}

static void read_row(struct request *rq, struct reading *r, const struct rows *rows, const struct policy *policy)
{
	memset(&r->facts, 0, sizeof r->facts);
	r->rows = rows;
	(void)provider_status_by_name(rows_text(rows, 0, QUALIFICATION_STATUS), &r->facts.status);
	r->facts.since = day_at(rows, QUALIFICATION_SINCE);
	r->facts.today = day_at(rows, QUALIFICATION_TODAY);
	r->facts.watermark = day_at(rows, QUALIFICATION_WATERMARK);
	r->facts.policy = policy;
	r->facts.balance_fen = rows_int(rows, 0, QUALIFICATION_BALANCE);
	r->facts.held_fen = rows_int(rows, 0, QUALIFICATION_HELD);
	r->facts.shortfall_since = day_at(rows, QUALIFICATION_SHORTFALL_SINCE);
	r->facts.reapply_from = day_at(rows, QUALIFICATION_REAPPLY_FROM);
	r->facts.reapply_cause = rows_text(rows, 0, QUALIFICATION_REAPPLY_CAUSE);
	r->facts.waiver = rows_text(rows, 0, QUALIFICATION_WAIVER);
	r->facts.waiver_expires_on = day_at(rows, QUALIFICATION_WAIVER_EXPIRES_ON);
	read_period(rq, r);
	read_admission(r);
}

static void put_day(struct json_writer *w, const char *key, day d)
{
	char text[DAY_TEXT];
	jw_kstring(w, key, d == DAY_NONE ? NULL : day_text(d, text));
}

/* The days of the period, up to yesterday, that the watermark has not reached. */
static void put_data(struct json_writer *w, const struct reading *r)
{
	const struct standing_facts *f = &r->facts;
	day from = f->watermark == DAY_NONE || f->watermark < f->period_start ? f->period_start : f->watermark + 1;
	day through = f->today - 1 < f->period_end ? f->today - 1 : f->period_end;
	bool missing = f->has_period && f->period_status != PERIOD_SCHEDULED && from <= through;
	jw_key(w, "data");
	jw_object(w);
	put_day(w, "watermark", f->watermark);
	jw_key(w, "missing_days");
	if (missing) {
		jw_object(w);
		put_day(w, "from", from);
		put_day(w, "through", through);
		jw_object_end(w);
	} else {
		jw_null(w);
	}
	jw_kint(w, "missing_store_days", missing ? rows_int(r->rows, 0, QUALIFICATION_MISSING_STORE_DAYS) : 0);
	jw_kbool(w, "progress_pending", rows_bool(r->rows, 0, QUALIFICATION_STALE));
	jw_object_end(w);
}

/* The cool-down, when there is one or was, and what lifts it today. */
static void put_reapply(struct json_writer *w, const struct standing_facts *f)
{
	put_day(w, "reapply_from", f->reapply_from);
	jw_kstring(w, "reapply_cause", f->reapply_cause);
	jw_key(w, "waiver");
	if (!f->waiver) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kstring(w, "waiver_id", f->waiver);
	put_day(w, "expires_on", f->waiver_expires_on);
	jw_object_end(w);
}

static bool rests_on_example(const struct reading *r)
{
	return (r->facts.policy && r->facts.policy->example) || rows_bool(r->rows, 0, QUALIFICATION_EXAMPLE);
}

static void put_answer(struct json_writer *w, const struct reading *r, const struct standing *s, enum lang lang,
                       const char *known_at)
{
	jw_object(w);
	jw_kstring(w, "provider_id", rows_text(r->rows, 0, QUALIFICATION_PROVIDER));
	jw_kbool(w, "qualified", s->qualified);
	jw_kstring(w, "status", rows_text(r->rows, 0, QUALIFICATION_STATUS));
	put_day(w, "since", r->facts.since);
	put_day(w, "as_of", r->facts.today);
	jw_kbool(w, "example", rests_on_example(r));
	jw_key(w, "reasons");
	standing_reasons_json(w, s, lang);
	jw_key(w, "requirements");
	standing_requirements_json(w, s, lang);
	jw_key(w, "deposit");
	standing_deposit_json(w, &r->facts, s);
	jw_kraw(w, "period", rows_text(r->rows, 0, QUALIFICATION_PERIOD_BODY));
	put_data(w, r);
	put_reapply(w, &r->facts);
	jw_key(w, "next_events");
	standing_next_events_json(w, s, lang);
	if (known_at)
		jw_kstring(w, "known_at", known_at);
	jw_object_end(w);
}

static void answer(struct request *rq, const struct rows *rows, const struct policy *policy)
{
	struct reading r;
	struct standing s;
	struct buf body = BUF_INIT(ANSWER_BYTES_MAX);
	struct json_writer w = json_writer_on(&body);
	read_row(rq, &r, rows, policy);
	standing_derive(&r.facts, &s);
	put_answer(&w, &r, &s, request_lang(rq), request_query(rq, "known_at"));
	reply_json(rq, 200, &body);
}

/* ---- the slower way ---- */

/* After a night's import, and after a closing, the progress of every running period is stale for some seconds, and all callers at
 * once would have it computed, which costs a thousand times what an answer does. So where many ask, they are told what was computed
 * last, or that nothing was, and that it is so (progress_pending), until the background has it. */
static bool need_not_wait(void)
{
	return priority_crowd() || workers_waiting(POOL_ANSWERS) + workers_running(POOL_ANSWERS) >= BUSY;
}

static void refresh_and_answer(struct worker *w, struct request *rq)
{
	const char *stale_period = request_state(rq);
	const struct policy *policy = NULL;
	struct db *db = worker_db(w);
	struct rows rows;
	if (stale_period && !work_ok(rq, db, refresh_progress_briefly(db, stale_period)))
		return;
	if (!work_read_key(w, rq, &QUALIFICATION, request_param(rq, "id"), &rows))
		return;
	if (rows.count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *ref = rows_text(&rows, 0, QUALIFICATION_POLICY);
	if (!ref || work_ok(rq, db, policy_cache_get(db, ref, &policy)))
		answer(rq, &rows, policy);
}

static void row_found(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *ref = rows_text(rows, 0, QUALIFICATION_POLICY);
	const struct policy *policy = ref ? policy_cache_peek(ref) : NULL;
	bool stale = rows_bool(rows, 0, QUALIFICATION_STALE);
	if ((policy || !ref) && (!stale || need_not_wait())) {
		answer(rq, rows, policy);
		return;
	}
	request_set_state(rq, stale ? request_printf(rq, "%s", rows_text(rows, 0, QUALIFICATION_PERIOD)) : NULL);
	request_work(rq, refresh_and_answer);
}

/* ---- as it was known ---- */

static void refresh_running_and_answer(struct worker *w, struct request *rq)
{
	struct rows running;
	if (!work_read_key(w, rq, &PERIOD_RUNNING, request_param(rq, "id"), &running))
		return;
	bool stale = running.count && rows_bool(&running, 0, 2);
	request_set_state(rq, stale ? request_printf(rq, "%s", rows_text(&running, 0, 1)) : NULL);
	refresh_and_answer(w, rq);
}

static void answer_as_known(struct worker *w, struct request *rq)
{
	known_read(w, rq, refresh_running_and_answer);
}

void handle_qualification(struct request *rq)
{
	const char *id = request_param(rq, "id");
	FAULTS_HERE(f);
	bool as_known = known_at_asked(rq, &f);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else if (!request_may_see(rq, id))
		reply_not_found(rq);
	else if (as_known)
		request_work(rq, answer_as_known);
	else
		request_read_key(rq, &QUALIFICATION, id, row_found);
}
