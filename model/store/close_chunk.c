#include "model/store/close_chunk.h"

#include "model/store/array_param.h"
#include "model/store/decision_copy.h"
#include "model/store/verdict.h"

#include <stdlib.h>
#include <string.h>

/* What is due, in the order of the key; a row that another closing (or a change of its provider) holds is passed over. */
static const struct statement CLAIM_DUE_PERIODS = {
        .name = "claim_due_periods",
        .sql = "select d.period_id, d.end_day - date '1970-01-01', d.end_day, new_id('dec'), assay_today() - date '1970-01-01'"
               " from period d join provider p on p.provider_id = d.provider_id"
               " where d.status in ('open', 'awaiting_data') and d.end_day <= least($1::date, (select day from watermark))"
               " and (select day from watermark) is not null and (d.end_day, d.period_id) > ($2::date, $3::text)"
               " order by d.end_day, d.period_id limit $4::integer for update of p, d skip locked",
        .params = 4,
};

/* The same for a dry run, which may have been resumed: what it judged already has a result. Looked for by key, one by one: a join with
 * the results is planned by what was known of them before this run wrote any. */
static const struct statement READ_DUE_PERIODS = {
        .name = "read_due_periods",
        .sql = "select d.period_id, d.end_day - date '1970-01-01', d.end_day, null from period d"
               " where d.status in ('open', 'awaiting_data') and d.end_day <= least($1::date, (select day from watermark))"
               " and (select day from watermark) is not null and (d.end_day, d.period_id) > ($2::date, $3::text)"
               " and (select x.run_id from assessment_run_result x where x.run_id = $5 and x.period_id = d.period_id) is null"
               " order by d.end_day, d.period_id limit $4::integer",
        .params = 5,
};

static const struct statement CLOSE_PERIODS = {
        .name = "close_periods",
        .sql = "select close_periods($1, $2::text[], $3::text[], $4::text[], $5::text[])",
        .params = 5,
};

static const struct statement RUN_RESULTS_ADD = {
        .name = "run_results_add",
        .sql = "select run_results_add($1, $2::text[], $3::text[], $4::text[])",
        .params = 4,
};

/* What is known of the periods that were judged, for the one call that writes it. */
struct outcomes {
	struct array_param period_ids, decision_ids, outcomes, progresses;
};

static struct outcomes outcomes_new(void)
{
	return (struct outcomes){array_param(), array_param(), array_param(), array_param()};
}

static void outcomes_free(struct outcomes *o)
{
	array_free(&o->period_ids);
	array_free(&o->decision_ids);
	array_free(&o->outcomes);
	array_free(&o->progresses);
}

static enum db_status outcomes_write(struct db *db, const struct closing *c, struct outcomes *o)
{
	const char *const params[] = {c->run_id, array_done(&o->period_ids), array_done(&o->decision_ids), array_done(&o->outcomes),
	                              array_done(&o->progresses)};
	PGresult *res = NULL;
	enum db_status status = db_run(db, c->dry_run ? &RUN_RESULTS_ADD : &CLOSE_PERIODS, params, &res);
	PQclear(res);
	return status;
}

static enum db_status claim(struct db *db, const struct close_chunk *chunk, PGresult **due)
{
	char as_of[DAY_TEXT];
	char limit[12];
	snprintf(limit, sizeof limit, "%d", chunk->closing->chunk ? chunk->closing->chunk : GATHER_PERIODS_MAX);
	const char *const params[] = {day_text(chunk->closing->as_of, as_of), chunk->after_end, chunk->after_id, limit, chunk->closing->run_id};
	return db_run(db, chunk->closing->dry_run ? &READ_DUE_PERIODS : &CLAIM_DUE_PERIODS, params, due);
}

static enum db_status gather_due(struct db *db, const struct close_chunk *chunk, const PGresult *due, struct gathered **out)
{
	struct gather_want wants[GATHER_PERIODS_MAX];
	size_t n = (size_t)PQntuples(due);
	for (size_t i = 0; i < n; i++)
		wants[i] = (struct gather_want){.period_id = PQgetvalue(due, (int)i, 0),
		                                .as_of = (day)strtol(PQgetvalue(due, (int)i, 1), NULL, 10),
		                                .imports = !chunk->closing->dry_run};
	return gather(db, wants, n, out);
}

static enum db_status judge_one(struct close_chunk *chunk, const struct gathered_period *p, const PGresult *due, int row,
                                struct decision_copy *copy, struct outcomes *o)
{
	const struct closing *c = chunk->closing;
	struct verdict v;
	enum db_status status = DB_OK;
	if (!verdict_of(p, c->dry_run ? VERDICT_OUTCOME : VERDICT_DECISION, &v)) {
		chunk->unreadable++;
		verdict_free(&v);
		return DB_OK;
	}
	const char *decision_id = c->dry_run ? NULL : PQgetvalue(due, row, 3);
	array_text(&o->period_ids, p->period_id);
	array_text(&o->decision_ids, decision_id);
	array_text(&o->outcomes, v.met ? "met" : "not_met");
	if (!c->dry_run) {
		array_text(&o->progresses, v.progress.data);
		status = decision_copy_add(copy, &(struct decision_row){.decision_id = decision_id,
		                                                        .provider_id = p->provider_id,
		                                                        .period_id = p->period_id,
		                                                        .run_id = c->run_id,
		                                                        .decided_on = (day)strtol(PQgetvalue(due, row, 4), NULL, 10),
		                                                        .verdict = &v});
	}
	chunk->judged++;
	chunk->met += v.met;
	verdict_free(&v);
	return status;
}

static enum db_status judge(struct db *db, struct close_chunk *chunk, const struct gathered *g, const PGresult *due, struct outcomes *o)
{
	struct decision_copy copy;
	bool dry_run = chunk->closing->dry_run;
	enum db_status status = dry_run ? DB_OK : decision_copy_begin(&copy, db);
	if (status != DB_OK)
		return status;
	/* Both are in the order of the claim, and every period exists: its row is locked, or in the same snapshot. */
	for (size_t i = 0; status == DB_OK && i < g->count; i++)
		status = judge_one(chunk, &g->periods[i], due, (int)i, &copy, o);
	if (dry_run)
		return status;
	enum db_status ended = decision_copy_end(&copy, status == DB_OK);
	return status == DB_OK ? ended : status;
}

static enum db_status work_on(struct db *db, struct close_chunk *chunk, const PGresult *due)
{
	struct gathered *g = NULL;
	struct outcomes o = outcomes_new();
	int64_t began = monotonic_us();
	enum db_status status = gather_due(db, chunk, due, &g);
	chunk->gather_us += monotonic_us() - began;
	if (status == DB_OK)
		status = judge(db, chunk, g, due, &o);
	if (status == DB_OK && chunk->judged)
		status = outcomes_write(db, chunk->closing, &o);
	outcomes_free(&o);
	gathered_free(g);
	return status;
}

static enum db_status chunk_body(struct db *db, void *arg)
{
	struct close_chunk *chunk = arg;
	chunk->claimed = chunk->judged = chunk->met = chunk->unreadable = 0;
	PGresult *due = NULL;
	enum db_status status = claim(db, chunk, &due);
	if (status != DB_OK)
		return status;
	chunk->claimed = (size_t)PQntuples(due);
	if (chunk->claimed)
		status = work_on(db, chunk, due);
	if (status == DB_OK && chunk->claimed) {
		int last = PQntuples(due) - 1;
		snprintf(chunk->after_end, sizeof chunk->after_end, "%s", PQgetvalue(due, last, 2));
		snprintf(chunk->after_id, sizeof chunk->after_id, "%s", PQgetvalue(due, last, 0));
	}
	PQclear(due);
	return status;
}

static const struct statement RUN_PROGRESS = {
        .name = "run_progress",
        .sql = "select run_progress($1, $2::bigint, $3::bigint)",
        .params = 3,
};

static enum db_status tell_run(struct db *db, const struct close_chunk *chunk)
{
	char met[24], not_met[24];
	const char *const params[] = {chunk->closing->run_id, met, not_met};
	PGresult *res = NULL;
	if (!chunk->closing->run_id || !chunk->judged)
		return DB_OK;
	snprintf(met, sizeof met, "%zu", chunk->met);
	snprintf(not_met, sizeof not_met, "%zu", chunk->judged - chunk->met);
	enum db_status status = db_run(db, &RUN_PROGRESS, params, &res);
	PQclear(res);
	return status;
}

enum db_status close_chunk_run(struct db *db, struct close_chunk *chunk)
{
	enum db_status status = facts_lock_shared(db);
	chunk->locked_out = status == DB_RETRY;
	if (status != DB_OK)
		return status;
	status = db_transaction(db, "repeatable read", chunk_body, chunk);
	facts_unlock_shared(db);
	return status == DB_OK ? tell_run(db, chunk) : status;
}
