#include "model/store/simulation_chunk.h"

#include "base/json_write.h"
#include "model/rules/criterion_turn.h"
#include "model/rules/evaluation_json.h"
#include "model/store/array_param.h"
#include "model/store/gather.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next decided periods of the span, with the decision that counts today. A trial that converted early was judged as of the day
 * that its decision names. */
static const struct statement SIMULATION_NEXT = {
        .name = "simulation_next",
        .sql = "select d.period_id, d.provider_id, d.end_day, d.stage, d.start_day - date '1970-01-01', x.decision_id, "
               "x.outcome,"
               " case when d.status = 'converted' then (x.document::json->>'as_of')::date - date '1970-01-01' end,"
               " case when x.outcome = 'not_met' then d.progress end, (select day from watermark) - date '1970-01-01'"
               " from simulation s join period d on d.end_day between s.from_day and s.through_day and d.stage = any (s.stages)"
               "  and (d.end_day, d.period_id) > (coalesce(s.after_end, '-infinity'), coalesce(s.after_id, ''))"
               " join application a on a.application_id = d.application_id"
               " join policy y on y.policy_id = a.policy_id and y.version = a.policy_version and y.industry = s.industry"
               " join decision x on x.decision_id = d.decision_id"
               " where s.simulation_id = $1 order by d.end_day, d.period_id limit $2::integer",
        .params = 2,
};

enum { PERIOD, PROVIDER, END, STAGE, START, DECISION, OUTCOME, CONVERTED_AS_OF, PROGRESS, WATERMARK };

static const struct statement SIMULATION_ADD = {
        .name = "simulation_add",
        .sql = "select simulation_add($1, $2::date, $3, $4::bigint, $5::bigint, $6::text[], $7::text[], $8::text[], "
               "$9::text[], $10::text[],"
               " $11::boolean[], $12::text[])",
        .params = 12,
};

enum { DIFFERENCE_WORD = 16, CRITERIA_MAX = 1024 * 1024, NUMBER_TEXT = 24 };

struct results {
	int64_t still_met, still_not_met;
	struct array_param periods, providers, decisions, differences, reasons, figures, criteria;
};

static struct results results_new(void)
{
	return (struct results){
	        0, 0, array_param(), array_param(), array_param(), array_param(), array_param(), array_param(), array_param()};
}

static void results_free(struct results *r)
{
	array_free(&r->periods);
	array_free(&r->providers);
	array_free(&r->decisions);
	array_free(&r->differences);
	array_free(&r->reasons);
	array_free(&r->figures);
	array_free(&r->criteria);
}

enum three { NO, YES, UNKNOWN };

static void add(struct results *r, const PGresult *next, int row, const char *difference, const char *reason,
                enum three figures_differ, const char *criteria)
{
	array_text(&r->periods, PQgetvalue(next, row, PERIOD));
	array_text(&r->providers, PQgetvalue(next, row, PROVIDER));
	array_text(&r->decisions, PQgetvalue(next, row, DECISION));
	array_text(&r->differences, difference);
	array_text(&r->reasons, reason);
	array_text(&r->figures, figures_differ == UNKNOWN ? NULL : figures_differ == YES ? "t" : "f");
	array_text(&r->criteria, criteria);
}

static void not_judged(struct results *r, const PGresult *next, int row, const char *reason)
{
	add(r, next, row, "not_judged", reason, UNKNOWN, "[]");
}

/* ---- judging ---- */

/* The evaluation's last policy is the one that is tried; those before it, if any, judge the period as it is. */
static const struct policy_result *tried(const struct evaluation *e)
{
	return &e->policies[e->policy_count - 1];
}

static enum three figures_differ(const struct evaluation *e, bool was_met)
{
	bool met = false;
	for (size_t i = 0; i + 1 < e->policy_count; i++)
		met = met || e->policies[i].met;
	return e->policy_count == 1 ? UNKNOWN : met != was_met ? YES : NO;
}

/* What is missing now, and whether it was not before. */
static void turns_of_failing(const struct evaluation *e, struct turns *t)
{
	const struct policy_result *p = tried(e);
	t->count = requirement_gaps(&p->policy->stages[e->stage].requires, &p->measures, p->nodes, e->start, t->gaps);
	t->known = e->policy_count > 1;
	for (size_t i = 0; i < t->count; i++)
		for (size_t k = 0; k + 1 < e->policy_count; k++)
			t->turned[i] = t->turned[i] || criterion_turned(&t->gaps[i], e->stage, &e->policies[k]);
}

/* What was missing by the decision, and whether it is not now. */
static void turns_of_passing(const struct evaluation *e, const json_t *decided, struct turns *t)
{
	t->count = evaluation_gaps_read(decided, t->gaps);
	t->known = true;
	for (size_t i = 0; i < t->count; i++)
		t->turned[i] = criterion_turned(&t->gaps[i], e->stage, tried(e));
}

static bool write_criteria(const struct evaluation *e, const char *progress, struct buf *out)
{
	struct turns t = {.count = 0};
	struct json_writer w = json_writer_on(out);
	json_t *decided = progress ? json_loads(progress, 0, NULL) : NULL;
	if (tried(e)->met)
		turns_of_passing(e, decided, &t);
	else
		turns_of_failing(e, &t);
	turns_write(&w, &t);
	json_decref(decided); /* the gaps' strings are borrowed from it */
	return !out->failed;
}

static bool compare(struct results *r, const PGresult *next, int row, const struct evaluation *e)
{
	bool was_met = strcmp(PQgetvalue(next, row, OUTCOME), "met") == 0;
	bool met = tried(e)->met;
	if (met == was_met) {
		*(met ? &r->still_met : &r->still_not_met) += 1;
		return true;
	}
	struct buf criteria = BUF_INIT(CRITERIA_MAX);
	bool ok = write_criteria(e, PQgetisnull(next, row, PROGRESS) ? NULL : PQgetvalue(next, row, PROGRESS), &criteria);
	if (ok)
		add(r, next, row, met ? "would_pass" : "would_fail", NULL, figures_differ(e, was_met), criteria.data);
	buf_free(&criteria);
	return ok;
}

static enum db_status judge(struct results *r, const PGresult *next, int row, const struct gathered_period *p)
{
	struct evaluation e;
	enum evaluation_status status = p->unreadable ? EVALUATION_INVALID : evaluate(&p->input, &e);
	if (status == EVALUATION_NO_MEMORY)
		return DB_FAILED;
	if (status != EVALUATION_OK) {
		not_judged(r, next, row, "unreadable");
		return DB_OK;
	}
	bool ok = compare(r, next, row, &e);
	evaluation_free(&e);
	return ok ? DB_OK : DB_FAILED;
}

/* ---- a chunk ---- */

static day day_in(const PGresult *next, int row, int column)
{
	return PQgetisnull(next, row, column) ? DAY_NONE : (day)strtol(PQgetvalue(next, row, column), NULL, 10);
}

/* As of which day the period is judged; DAY_NONE: it would not have ended by the watermark. Periods of another length than the policy's
 * are judged from their own first day over the policy's months. */
static day judged_as_of(const struct policy *policy, const PGresult *next, int row)
{
	enum stage stage = STAGE_TRIAL;
	bool known = stage_by_name(PQgetvalue(next, row, STAGE), &stage);
	assert(known); /* the database checks it */
	(void)known;
	day end = period_end(day_in(next, row, START), policy->stages[stage].months);
	day converted = day_in(next, row, CONVERTED_AS_OF), watermark = day_in(next, row, WATERMARK);
	if (converted != DAY_NONE && converted < end)
		return converted;
	return watermark == DAY_NONE || end > watermark ? DAY_NONE : end;
}

static enum db_status judge_all(struct db *db, const struct simulation_chunk *chunk, const PGresult *next, struct results *r)
{
	struct gather_want wants[GATHER_PERIODS_MAX];
	int row_of[GATHER_PERIODS_MAX];
	size_t n = 0;
	for (int row = 0; row < PQntuples(next); row++) {
		day as_of = judged_as_of(chunk->policy, next, row);
		if (as_of == DAY_NONE) {
			not_judged(r, next, row, "awaiting_data");
			continue;
		}
		row_of[n] = row;
		wants[n++] = (struct gather_want){
		        .period_id = PQgetvalue(next, row, PERIOD), .as_of = as_of, .tried = chunk->policy};
	}
	struct gathered *g = NULL;
	enum db_status status = n ? gather(db, wants, n, &g) : DB_OK;
	assert(!g || g->count == n); /* read in one snapshot, and decided periods stay */
	for (size_t i = 0; status == DB_OK && i < n; i++)
		status = judge(r, next, row_of[i], &g->periods[i]);
	gathered_free(g);
	return status;
}

static enum db_status keep(struct db *db, const struct simulation_chunk *chunk, const PGresult *next, struct results *r)
{
	int last = PQntuples(next) - 1;
	char met[NUMBER_TEXT], not_met[NUMBER_TEXT];
	snprintf(met, sizeof met, "%" PRId64, r->still_met);
	snprintf(not_met, sizeof not_met, "%" PRId64, r->still_not_met);
	const char *const params[] = {chunk->simulation_id,
	                              PQgetvalue(next, last, END),
	                              PQgetvalue(next, last, PERIOD),
	                              met,
	                              not_met,
	                              array_done(&r->periods),
	                              array_done(&r->providers),
	                              array_done(&r->decisions),
	                              array_done(&r->differences),
	                              array_done(&r->reasons),
	                              array_done(&r->figures),
	                              array_done(&r->criteria)};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &SIMULATION_ADD, params, &res);
	PQclear(res);
	return status;
}

static enum db_status chunk_body(struct db *db, void *arg)
{
	struct simulation_chunk *chunk = arg;
	char limit[NUMBER_TEXT];
	snprintf(limit, sizeof limit, "%d", GATHER_PERIODS_MAX);
	PGresult *next = NULL;
	struct results r = results_new();
	enum db_status status = db_run(db, &SIMULATION_NEXT, (const char *const[]){chunk->simulation_id, limit}, &next);
	chunk->looked_at = status == DB_OK ? (size_t)PQntuples(next) : 0;
	if (chunk->looked_at)
		status = judge_all(db, chunk, next, &r);
	if (status == DB_OK && chunk->looked_at)
		status = keep(db, chunk, next, &r);
	PQclear(next);
	results_free(&r);
	return status;
}

enum db_status simulation_chunk_run(struct db *db, struct simulation_chunk *chunk)
{
	return db_transaction(db, "repeatable read", chunk_body, chunk);
}
