#include "handlers/work.h"

#include "model/store/array_param.h"
#include "server/log.h"

bool work_ok(struct request *rq, struct db *db, enum db_status status)
{
	switch (status) {
	case DB_OK:
		return true;
	case DB_UNAVAILABLE:
		reply_problem(rq, CODE_DATABASE_UNAVAILABLE, NULL, 0);
		return false;
	case DB_RETRY:
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
		return false;
	case DB_FAILED:
		break;
	}
	log_line(LOG_ERROR, "a worker's statement failed", "request_id", request_id(rq), "sqlstate", db_sqlstate(db), "message",
	         db_message(db), NULL);
	reply_problem(rq, CODE_INTERNAL, NULL, 0);
	return false;
}

static void clear(void *res)
{
	PQclear(res);
}

bool work_read(struct worker *w, struct request *rq, const struct statement *st, const char *const *params, struct rows *rows)
{
	PGresult *res = NULL;
	if (!work_ok(rq, worker_db(w), db_run(worker_db(w), st, params, &res)))
		return false;
	request_on_end(rq, clear, res);
	*rows = (struct rows){.pg = res, .first = 0, .count = PQntuples(res)};
	return true;
}

bool work_read_key(struct worker *w, struct request *rq, const struct statement *st, const char *key, struct rows *rows)
{
	struct array_param keys = array_param();
	array_text(&keys, key);
	const char *params[] = {array_done(&keys)};
	bool ok = params[0] && work_read(w, rq, st, params, rows);
	if (!params[0])
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	array_free(&keys);
	return ok;
}
