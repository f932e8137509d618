#include "model/store/simulations.h"

#include "model/store/policies.h"
#include "model/store/simulation_chunk.h"
#include "server/log.h"

#include <stdlib.h>
#include <string.h>

const struct statement SIMULATION_BY_ID = {
        .name = "simulation_by_id",
        .sql = "select simulation_body(s) from simulation s where simulation_id = $1",
        .params = 1,
};

const struct statement SIMULATION_LIST = {
        .name = "simulation_list",
        .sql = "select cursor, body from simulation_list($1, $2::integer, $3)",
        .params = 3,
};

const struct statement SIMULATION_RESULT_LIST = {
        .name = "simulation_result_list",
        .sql = "select cursor, body from simulation_result_list($1, $2, $3::integer, $4)",
        .params = 4,
};

static const struct statement SIMULATIONS_UNFINISHED = {
        .name = "simulations_unfinished",
        .sql = "select simulation_id from simulation where status in ('queued', 'running') order by simulation_id limit 100",
};

static const struct statement SIMULATION_LOCK = {
        .name = "simulation_lock",
        .sql = "select pg_try_advisory_lock(hashtextextended($1, 4260))",
        .params = 1,
};

static const struct statement SIMULATION_UNLOCK = {
        .name = "simulation_unlock",
        .sql = "select pg_advisory_unlock(hashtextextended($1, 4260))",
        .params = 1,
};

static const struct statement SIMULATION_BEGIN = {
        .name = "simulation_begin",
        .sql = "select document from simulation_begin($1)",
        .params = 1,
};

static const struct statement SIMULATION_FINISH = {
        .name = "simulation_finish",
        .sql = "select simulation_finish($1, $2::boolean)",
        .params = 2,
};

static enum db_status finish(struct db *db, const char *id, bool ok)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, &SIMULATION_FINISH, (const char *const[]){id, ok ? "t" : "f"}, &res);
	PQclear(res);
	return status;
}

/* Chunk by chunk to its end, or until it has to leave off: then it is taken up again. What fails by our own fault fails for good. */
static enum db_status judge_all(struct db *db, struct simulation_chunk *chunk, bool (*stopping)(void *arg), void *arg)
{
	enum db_status status;
	do
		status = simulation_chunk_run(db, chunk);
	while (status == DB_OK && chunk->looked_at && !stopping(arg));
	if (status == DB_UNAVAILABLE || status == DB_RETRY || (status == DB_OK && chunk->looked_at))
		return status;
	if (status != DB_OK)
		log_line(LOG_ERROR, "a simulation failed", "simulation_id", chunk->simulation_id, "sqlstate", db_sqlstate(db),
		         "message", db_message(db), NULL);
	return finish(db, chunk->simulation_id, status == DB_OK);
}

static enum db_status work_on(struct db *db, const char *id, bool (*stopping)(void *arg), void *arg)
{
	PGresult *begun = NULL;
	enum db_status status = db_run(db, &SIMULATION_BEGIN, (const char *const[]){id}, &begun);
	if (status == DB_OK && PQntuples(begun) == 1) {
		struct faults faults = {0};
		struct policy *policy = policy_parse(PQgetvalue(begun, 0, 0), &faults);
		struct simulation_chunk chunk = {.simulation_id = id, .policy = policy};
		if (policy)
			status = judge_all(db, &chunk, stopping, arg);
		else if (
		        faults_any(
		                &faults)) /* it was asked for under another version of the service, which took what this one does not */
			status = finish(db, id, false);
		policy_free(policy);
		faults_free(&faults);
	}
	PQclear(begun);
	return status;
}

static enum db_status take_up(struct db *db, const char *id, bool (*stopping)(void *arg), void *arg)
{
	const char *const params[] = {id};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &SIMULATION_LOCK, params, &res);
	bool locked = status == DB_OK && PQgetvalue(res, 0, 0)[0] == 't';
	PQclear(res);
	if (!locked)
		return status;
	status = work_on(db, id, stopping, arg);
	enum db_status unlocked = db_run(db, &SIMULATION_UNLOCK, params, &res); /* gone with the connection otherwise */
	(void)unlocked;
	PQclear(res);
	return status;
}

enum db_status simulations_work(struct db *db, bool (*stopping)(void *arg), void *arg)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, &SIMULATIONS_UNFINISHED, NULL, &res);
	for (int i = 0; status == DB_OK && i < PQntuples(res) && !stopping(arg); i++)
		status = take_up(db, PQgetvalue(res, i, 0), stopping, arg);
	PQclear(res);
	return status;
}
