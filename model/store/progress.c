#include "model/store/progress.h"

#include "model/store/array_param.h"
#include "model/store/gather.h"
#include "model/store/verdict.h"

#include <stdlib.h>
#include <string.h>

static const struct statement PROGRESS_OF_ONE = {
        .name = "progress_of_one",
        .sql = "select d.period_id, d.facts_version, (" RUNNING_AS_OF ") - date '1970-01-01' from period d"
               " where d.period_id = $1 and d.status in ('open', 'awaiting_data')",
        .params = 1,
};

static const struct statement PROGRESS_STALE = {
        .name = "progress_stale",
        .sql = "select d.period_id, d.facts_version, (" RUNNING_AS_OF ") - date '1970-01-01' from period d"
               " where d.status in ('open', 'awaiting_data') and d.progress_version <> d.facts_version and d.period_id > $1"
               " order by d.period_id limit $2::integer",
        .params = 2,
};

/* Compare and set: figures that changed since the snapshot leave the row as it is, stale. */
#define COMPUTED \
	"unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::integer[])" \
	" x(period_id, facts_version, progress, gaps, forecast, missing_bps)"
#define STILL_TRUE "d.period_id = x.period_id and d.facts_version = x.facts_version and d.status in ('open', 'awaiting_data')"
#define STORE \
	"update period d set progress = x.progress, progress_version = x.facts_version, gaps = x.gaps, forecast = x.forecast," \
	" missing_bps = x.missing_bps from "

static const struct statement PROGRESS_STORE = {
        .name = "progress_store",
        .sql = STORE COMPUTED " where " STILL_TRUE,
        .params = 6,
};

/* The same for who would rather have the last one than wait for the end of an import that holds the row. */
static const struct statement PROGRESS_STORE_BRIEFLY = {
        .name = "progress_store_briefly",
        .sql = "with patience as materialized (select set_config('lock_timeout', '100ms', true)) "
               STORE "patience, " COMPUTED " where " STILL_TRUE,
        .params = 6,
};

/* The same of many, for which nobody waits. A row that somebody holds is passed over: who does is about to change it, and two who each
 * wait for rows of the other would be a deadlock, which an import could lose. */
static const struct statement PROGRESS_STORE_FREE = {
        .name = "progress_store_free",
        .sql = "with free as materialized (select x.* from " COMPUTED " join period d on " STILL_TRUE
               "  for no key update of d skip locked) " STORE "free x where d.period_id = x.period_id",
        .params = 6,
};

/* One in the whole database computes what is stale; a second one would compute the same. */
static const struct statement TRY_REFRESH_LOCK = {.name = "refresh_try_lock", .sql = "select pg_try_advisory_lock(4245, 1)"};
static const struct statement DROP_REFRESH_LOCK = {.name = "refresh_unlock", .sql = "select pg_advisory_unlock(4245, 1)"};

enum { PASSES_MAX = 3 }; /* what becomes stale behind a pass is the next one's, and after these the next tick's */

struct refresh {
	const struct statement *which, *store;
	const char *params[2];
	char after[64];  /* the last period looked at */
	int looked_at;
	struct array_param ids, versions, progresses, gaps, forecasts, missing; /* what was computed */
};

static void refresh_reset(struct refresh *r)
{
	array_free(&r->ids);
	array_free(&r->versions);
	array_free(&r->progresses);
	array_free(&r->gaps);
	array_free(&r->forecasts);
	array_free(&r->missing);
	r->ids = r->versions = r->progresses = r->gaps = r->forecasts = r->missing = array_param();
	r->looked_at = 0;
}

/* `v` NULL: nothing is known of it. */
static void add(struct refresh *r, const char *period_id, int64_t facts_version, const struct verdict *v)
{
	array_text(&r->ids, period_id);
	array_int(&r->versions, facts_version);
	array_text(&r->progresses, v ? v->progress.data : NULL);
	array_text(&r->gaps, v ? v->gaps.data : NULL);
	array_text(&r->forecasts, v ? v->forecast.data : NULL);
	if (v)
		array_int(&r->missing, v->missing_bps);
	else
		array_text(&r->missing, NULL);
}

static void judge(struct refresh *r, const struct gathered_period *p)
{
	struct verdict v;
	bool judged = verdict_of(p, VERDICT_PROGRESS, &v); /* when not, the log says why, once */
	add(r, p->period_id, p->facts_version, judged ? &v : NULL);
	verdict_free(&v);
}

static enum db_status compute(struct db *db, struct refresh *r, const PGresult *res)
{
	struct gather_want wants[GATHER_PERIODS_MAX];
	size_t n = 0;
	for (int row = 0; row < PQntuples(res) && row < GATHER_PERIODS_MAX; row++)
		if (PQgetisnull(res, row, 2)) /* no figures at all yet */
			add(r, PQgetvalue(res, row, 0), strtoll(PQgetvalue(res, row, 1), NULL, 10), NULL);
		else
			wants[n++] = (struct gather_want){.period_id = PQgetvalue(res, row, 0),
			                                  .as_of = (day)strtol(PQgetvalue(res, row, 2), NULL, 10)};
	struct gathered *g = NULL;
	enum db_status status = n ? gather(db, wants, n, &g) : DB_OK;
	for (size_t i = 0; status == DB_OK && g && i < g->count; i++) {
		if (g->periods[i].input.as_of < g->periods[i].input.start) /* nothing of it is known yet */
			add(r, g->periods[i].period_id, g->periods[i].facts_version, NULL);
		else
			judge(r, &g->periods[i]);
	}
	gathered_free(g);
	return status;
}

static enum db_status refresh_body(struct db *db, void *arg)
{
	struct refresh *r = arg;
	refresh_reset(r);
	PGresult *res = NULL;
	enum db_status status = db_run(db, r->which, r->params, &res);
	if (status == DB_OK)
		status = compute(db, r, res);
	if (status == DB_OK && (r->looked_at = PQntuples(res)) > 0)
		snprintf(r->after, sizeof r->after, "%s", PQgetvalue(res, r->looked_at - 1, 0));
	PQclear(res);
	return status;
}

/* One chunk: read and compute in one snapshot, then store what is still true. */
static enum db_status refresh_run(struct db *db, struct refresh *r)
{
	enum db_status status = db_transaction(db, "repeatable read", refresh_body, r);
	PGresult *res = NULL;
	const char *const params[] = {array_done(&r->ids), array_done(&r->versions), array_done(&r->progresses),
	                              array_done(&r->gaps), array_done(&r->forecasts), array_done(&r->missing)};
	if (status == DB_OK && r->ids.text.len > 2)
		status = db_run(db, r->store, params, &res);
	PQclear(res);
	int looked_at = r->looked_at;
	refresh_reset(r);
	r->looked_at = looked_at;
	return status;
}

enum db_status refresh_progress(struct db *db, const char *period_id)
{
	struct refresh r = {.which = &PROGRESS_OF_ONE, .store = &PROGRESS_STORE, .params = {period_id}};
	return refresh_run(db, &r);
}

enum db_status refresh_progress_briefly(struct db *db, const char *period_id)
{
	struct refresh r = {.which = &PROGRESS_OF_ONE, .store = &PROGRESS_STORE_BRIEFLY, .params = {period_id}};
	enum db_status status = refresh_run(db, &r);
	return status == DB_RETRY ? DB_OK : status;
}

/* Once through all that is stale; how many those were. */
static enum db_status refresh_pass(struct db *db, bool (*stopping)(void *arg), void *arg, int64_t *found)
{
	char limit[12];
	snprintf(limit, sizeof limit, "%d", GATHER_PERIODS_MAX);
	struct refresh r = {.which = &PROGRESS_STALE, .store = &PROGRESS_STORE_FREE, .params = {r.after, limit}};
	enum db_status status;
	*found = 0;
	do {
		status = refresh_run(db, &r);
		*found += r.looked_at;
	} while (status == DB_OK && r.looked_at == GATHER_PERIODS_MAX && !(stopping && stopping(arg)));
	return status;
}

enum db_status refresh_stale_progress(struct db *db, bool (*stopping)(void *arg), void *arg)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, &TRY_REFRESH_LOCK, NULL, &res);
	bool locked = status == DB_OK && PQgetvalue(res, 0, 0)[0] == 't';
	int64_t found = 1;
	PQclear(res);
	if (!locked)
		return status;
	for (int pass = 0; pass < PASSES_MAX && status == DB_OK && found && !(stopping && stopping(arg)); pass++)
		status = refresh_pass(db, stopping, arg, &found);
	res = NULL;
	enum db_status unlocked = db_run(db, &DROP_REFRESH_LOCK, NULL, &res); /* gone with the connection otherwise */
	(void)unlocked;
	PQclear(res);
	return status;
}
