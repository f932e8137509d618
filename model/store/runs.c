#include "model/store/runs.h"

#include "server/log.h"

#include <stdlib.h>
#include <string.h>

const struct statement RUN_BY_ID = {
        .name = "run_by_id",
        .sql = "select run_body(r) from assessment_run r where run_id = $1",
        .params = 1,
};

const struct statement RUN_LIST = {
        .name = "run_list",
        .sql = "select cursor, body from run_list($1, $2::integer, $3)",
        .params = 3,
};

const struct statement RUN_RESULT_LIST = {
        .name = "run_result_list",
        .sql = "select cursor, body from run_result_list($1, $2, $3::integer, $4)",
        .params = 4,
};

const struct statement RUN_CREATE = {
        .name = "run_create",
        .sql = "select a.code, replace(a.location, '/v1/assessment-runs/', ''), assay_today() from op_run_create($1, $2) a",
        .params = 2,
};

const struct statement RUN_OVER = {
        .name = "run_over",
        .sql = "select from assessment_run where run_id = $1 and status in ('done', 'failed')",
        .params = 1,
};

const struct statement RUN_ANSWER = {
        .name = "run_answer",
        .sql = "select run_answer($1, $2)",
        .params = 2,
};

static const struct statement RUN_LOCK = {
        .name = "run_lock",
        .sql = "select pg_try_advisory_lock(hashtextextended($1, 4244))",
        .params = 1,
};

static const struct statement RUN_UNLOCK = {
        .name = "run_unlock",
        .sql = "select pg_advisory_unlock(hashtextextended($1, 4244))",
        .params = 1,
};

static const struct statement RUN_BEGIN = {
        .name = "run_begin",
        .sql = "select r.as_of - date '1970-01-01', r.dry_run from run_begin($1) r where r.run_id is not null",
        .params = 1,
};

static const struct statement RUN_FINISH = {
        .name = "run_finish",
        .sql = "select run_finish($1, $2::boolean)",
        .params = 2,
};

static const struct statement RUNS_UNFINISHED = {
        .name = "runs_unfinished",
        .sql = "select run_id from assessment_run where status in ('queued', 'running') order by run_id limit 100",
};

static enum db_status run_closing(struct db *db, const struct run_work *work, const PGresult *run, enum run_end *end)
{
	struct closing c = {.as_of = (day)strtol(PQgetvalue(run, 0, 0), NULL, 10),
	                    .run_id = work->run_id,
	                    .dry_run = PQgetvalue(run, 0, 1)[0] == 't',
	                    .chunk = work->chunk,
	                    .deadline_ms = work->deadline_ms,
	                    .stopping = work->stopping,
	                    .progressed = work->progressed,
	                    .arg = work->arg};
	enum db_status status = close_due(db, &c);
	*end = RUN_PAUSED;
	if (status == DB_UNAVAILABLE || status == DB_RETRY || (status == DB_OK && c.paused))
		return status;
	bool ok = status == DB_OK && c.unreadable == 0;
	PGresult *res = NULL;
	status = db_run(db, &RUN_FINISH, (const char *const[]){work->run_id, ok ? "t" : "f"}, &res);
	PQclear(res);
	*end = RUN_DONE;
	return status;
}

/* The run's row when there is something left to do: one row or none. */
static enum db_status run_take(struct db *db, const char *run_id, PGresult **run)
{
	return db_run(db, &RUN_BEGIN, (const char *const[]){run_id}, run);
}

enum db_status run_continue(struct db *db, const struct run_work *work, enum run_end *end)
{
	const char *const params[] = {work->run_id};
	PGresult *res = NULL;
	*end = RUN_ELSEWHERE;
	enum db_status status = db_run(db, &RUN_LOCK, params, &res);
	bool locked = status == DB_OK && PQgetvalue(res, 0, 0)[0] == 't';
	PQclear(res);
	if (!locked)
		return status;
	PGresult *run = NULL;
	status = run_take(db, work->run_id, &run);
	if (status == DB_OK && PQntuples(run) == 1)
		status = run_closing(db, work, run, end);
	PQclear(run);
	enum db_status unlocked = db_run(db, &RUN_UNLOCK, params, &res); /* gone with the connection otherwise */
	(void)unlocked;
	PQclear(res);
	return status;
}

enum db_status runs_resume(struct db *db, bool (*stopping)(void *arg), void *arg)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, &RUNS_UNFINISHED, NULL, &res);
	for (int i = 0; status == DB_OK && i < PQntuples(res); i++) {
		if (stopping && stopping(arg))
			break;
		struct run_work work = {.run_id = PQgetvalue(res, i, 0), .stopping = stopping, .arg = arg};
		enum run_end end;
		status = run_continue(db, &work, &end);
		if (status == DB_OK && end == RUN_DONE)
			log_line(LOG_INFO, "took up a run that nobody worked on", "run_id", work.run_id, NULL);
	}
	PQclear(res);
	return status;
}
