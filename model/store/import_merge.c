#include "model/store/import_merge.h"

#include "base/json_write.h"
#include "server/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_MAX = 8 * 1024 * 1024 /* bytes of the errors that are kept, as JSON */ };

enum { FACTS_TRIES = 900 /* of 2 s: an import waits for the ones before it, however large they are */ };

static const char transaction_settings[] = "set local lock_timeout = '30s'; set local statement_timeout = 0; "
                                           "set local work_mem = '64MB'; set local jit = off";

/* The facts lock, the session's. Waiting for it is cut into pieces, so that a service that stops need not wait. */
static const char facts_try[] = "set lock_timeout = '2s'";
static const char facts_tried[] = "reset lock_timeout";
static const struct statement facts_lock = {.name = "import_facts_lock", .sql = "select pg_advisory_lock(4242, 1)"};
static const struct statement facts_unlock = {.name = "import_facts_unlock", .sql = "select pg_advisory_unlock(4242, 1)"};
static const struct statement create_inside = {
        .name = "import_create_dry",
        .sql = "insert into import (import_id, kind, mode, status, complete_through, created_by)"
               " values ($1, $2, $3, 'applying', $4, $5)",
        .params = 5};
static const struct statement checks[IMPORT_KINDS] = {
        [IMPORT_STORES] = {.name = "import_check_stores",
                           .sql = "select bad, repeated from import_check_stores($1)",
                           .params = 1},
        [IMPORT_BINDINGS] = {.name = "import_check_bindings",
                             .sql = "select bad, repeated from import_check_bindings($1)",
                             .params = 1},
        [IMPORT_EXAM_PASSES] = {.name = "import_check_exam_passes",
                                .sql = "select bad, repeated from import_check_exam_passes($1)",
                                .params = 1},
};
static const struct statement applies[IMPORT_KINDS] = {
        [IMPORT_STORES] = {.name = "import_apply_stores",
                           .sql = "select inserted, changed from import_apply_stores($1)",
                           .params = 1},
        [IMPORT_BINDINGS] = {.name = "import_apply_bindings",
                             .sql = "select inserted, changed from import_apply_bindings($1)",
                             .params = 1},
        [IMPORT_EXAM_PASSES] = {.name = "import_apply_exam_passes",
                                .sql = "select inserted, changed from import_apply_exam_passes($1)",
                                .params = 1},
};
static const struct statement first_bad = {
        .name = "import_bad",
        .sql = "select line, seq, column_name, code, args[1], args[2], args[3] from import_bad order by line, seq limit $1",
        .params = 1};
static const struct statement touch_tables = {.name = "import_touch_tables", .sql = "select import_touch_tables()"};
static const struct statement finish = {
        .name = "import_finish",
        .sql = "select body, body::json->>'watermark' from import_finish($1::jsonb, $2::jsonb) body",
        .params = 2};

static enum db_status run(struct db *db, const struct statement *st, const char *const *params)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, st, params, &res);
	PQclear(res);
	return status;
}

/* A statement that answers one row of two numbers. */
static enum db_status run_pair(struct db *db, const struct statement *st, const char *param, int64_t *a, int64_t *b)
{
	const char *const params[] = {param};
	PGresult *res = NULL;
	enum db_status status = db_run(db, st, params, &res);
	if (status == DB_OK) {
		*a = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
		*b = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
	}
	PQclear(res);
	return status;
}

static void add_found(struct import_errors *found, const PGresult *res, int row)
{
	const char *args[FAULT_ARGS] = {0};
	size_t nargs = 0;
	while (nargs < FAULT_ARGS && !PQgetisnull(res, row, 4 + (int)nargs)) {
		args[nargs] = PQgetvalue(res, row, 4 + (int)nargs);
		nargs++;
	}
	import_errors_add(found, strtoll(PQgetvalue(res, row, 0), NULL, 10), (int)strtol(PQgetvalue(res, row, 1), NULL, 10),
	                  PQgetisnull(res, row, 2) ? NULL : PQgetvalue(res, row, 2), code_by_name(PQgetvalue(res, row, 3)),
	                  args, nargs);
}

/* The report's errors: what reading found and what the database found, in the order of the file. */
static enum db_status gather_errors(struct import_merge *m)
{
	char limit[16];
	const char *const params[] = {limit};
	struct import_errors found = {0};
	PGresult *res = NULL;
	snprintf(limit, sizeof limit, "%d", IMPORT_ERRORS_MAX);
	enum db_status status = m->header_bad ? DB_OK : db_run(m->staged, &first_bad, params, &res);
	for (int row = 0; res && row < PQntuples(res); row++)
		add_found(&found, res, row);
	PQclear(res);
	import_errors_free(&m->report->errors);
	import_errors_merge(&m->report->errors, m->read_errors, &found);
	import_errors_free(&found);
	return status == DB_OK && m->report->errors.failed ? DB_FAILED : status;
}

static void finish_args(struct buf *out, const struct import_merge *m)
{
	const struct import_report *r = m->report;
	char text[DAY_TEXT];
	struct json_writer w = json_writer_on(out);
	jw_object(&w);
	jw_kstring(&w, "import_id", r->import_id);
	jw_kstring(&w, "status", r->outcome == IMPORT_APPLIED ? "applied" : "rejected");
	jw_kint(&w, "received", r->rows.received);
	jw_kint(&w, "inserted", r->rows.inserted);
	jw_kint(&w, "changed", r->rows.changed);
	jw_kint(&w, "unchanged", r->rows.unchanged);
	jw_kint(&w, "rejected", r->rows.rejected);
	jw_kint(&w, "bytes", r->bytes);
	jw_kstring(&w, "sha256", r->sha256);
	if (m->o->complete_through != DAY_NONE)
		jw_kstring(&w, "complete_through", day_text(m->o->complete_through, text));
	if (m->o->kind == IMPORT_STORE_DAYS && m->stage->rows) {
		jw_kstring(&w, "first_day", day_text(m->stage->first_day, text));
		jw_kstring(&w, "last_day", day_text(m->stage->last_day, text));
	}
	jw_key(&w, "errors");
	import_errors_for_sql(out, &r->errors);
	buf_putc(out, '}');
}

/* Writes the import's end, and what the caller wants to commit with it. */
static enum db_status conclude(struct import_merge *m, enum import_outcome outcome)
{
	struct import_report *r = m->report;
	struct buf args = BUF_INIT(ARGS_MAX);
	PGresult *res = NULL;
	r->outcome = outcome;
	finish_args(&args, m);
	const char *const params[] = {m->o->ctx, args.data};
	enum db_status status = args.failed ? DB_FAILED : db_run(m->tx, &finish, params, &res);
	if (status == DB_OK) {
		free(r->body);
		r->body = strdup(PQgetvalue(res, 0, 0));
		snprintf(r->watermark, sizeof r->watermark, "%s", PQgetvalue(res, 0, 1));
		status = r->body ? DB_OK : DB_FAILED;
	}
	PQclear(res);
	buf_free(&args);
	if (status == DB_OK && m->o->decided && !m->o->dry_run)
		status = m->o->decided(m->o->decided_arg, m->tx, r);
	m->decided = status == DB_OK;
	return status;
}

static enum db_status reject(struct import_merge *m)
{
	m->report->rows.inserted = m->report->rows.changed = m->report->rows.unchanged = 0;
	return conclude(m, IMPORT_REJECTED);
}

/* Checks the staged rows, all of them; *bad of them are. */
static enum db_status check(struct import_merge *m, int64_t *bad)
{
	int64_t repeated = 0;
	enum import_kind kind = m->o->kind;
	enum db_status status = kind == IMPORT_STORE_DAYS
	                                ? import_days_check(m, bad)
	                                : run_pair(m->staged, &checks[kind], m->o->per_row ? "f" : "t", bad, &repeated);
	return status == DB_OK ? gather_errors(m) : status;
}

static enum db_status check_and_apply(struct import_merge *m)
{
	struct import_counts *rows = &m->report->rows;
	int64_t bad = 0;
	enum db_status status = check(m, &bad);
	if (status != DB_OK)
		return status;
	rows->rejected = m->read_rejected + bad;
	if (rows->rejected && !m->o->per_row)
		return reject(m);
	if (m->o->kind == IMPORT_STORE_DAYS)
		status = import_days_apply(m);
	else
		status = run_pair(m->tx, &applies[m->o->kind], m->report->import_id, &rows->inserted, &rows->changed);
	if (status != DB_OK)
		return status;
	rows->unchanged = rows->received - rows->rejected - rows->inserted - rows->changed;
	return conclude(m, IMPORT_APPLIED);
}

static enum db_status create_row(struct import_merge *m)
{
	char through[DAY_TEXT];
	bool said = m->o->complete_through != DAY_NONE;
	const char *const params[] = {m->report->import_id, import_kind_names[m->o->kind], m->o->per_row ? "per_row" : "atomic",
	                              said ? day_text(m->o->complete_through, through) : NULL, m->o->created_by};
	return run(m->tx, &create_inside, params);
}

/* Both sessions inside a transaction; the staged rows that are taken out on the way are there again when it is tried again. */
static enum db_status check_in_both(struct import_merge *m)
{
	enum db_status status = db_exec(m->staged, "begin");
	if (status == DB_OK)
		status = db_exec(m->staged, transaction_settings);
	if (status == DB_OK)
		status = run(m->tx, &touch_tables, NULL);
	if (status == DB_OK)
		status = check_and_apply(m);
	if (db_exec(m->staged, "rollback") != DB_OK && status == DB_OK)
		status = DB_UNAVAILABLE;
	return status;
}

static enum db_status merge_once(struct db *tx, void *arg)
{
	struct import_merge *m = arg;
	m->decided = false;
	enum db_status status = db_exec(tx, transaction_settings);
	if (status == DB_OK && m->o->dry_run)
		status = create_row(m);
	if (status == DB_OK && m->header_bad)
		status = gather_errors(m) == DB_OK ? reject(m) : DB_FAILED;
	else if (status == DB_OK)
		status = m->staged == tx ? check_and_apply(m) : check_in_both(m);
	if (status == DB_OK && m->o->dry_run)
		return DB_FAILED; /* so that the transaction is rolled back; see import_merge() */
	return status;
}

static bool stopping(const struct import_merge *m)
{
	return m->o->stopping && m->o->stopping(m->o->stopping_arg);
}

static enum db_status take_facts(struct import_merge *m)
{
	enum db_status status = db_exec(m->tx, facts_try);
	if (status != DB_OK)
		return status;
	status = DB_RETRY;
	for (int tried = 0; tried < FACTS_TRIES && status == DB_RETRY && !stopping(m); tried++)
		status = run(m->tx, &facts_lock, NULL);
	if (status == DB_OK || status == DB_RETRY) {
		enum db_status reset = db_exec(m->tx, facts_tried);
		status = reset == DB_OK ? status : reset;
	}
	return status;
}

static enum db_status merge_locked(struct import_merge *m)
{
	enum db_status status = db_transaction(m->tx, "read committed", merge_once, m);
	if (status == DB_FAILED && m->trusted && m->o->kind == IMPORT_STORE_DAYS && strcmp(db_sqlstate(m->tx), "23505") == 0) {
		m->trusted = false; /* rows came in by another way than an import */
		status = db_transaction(m->tx, "read committed", merge_once, m);
	}
	return m->o->dry_run && m->decided ? DB_OK : status;
}

enum db_status import_merge(struct import_merge *m)
{
	enum db_status status = take_facts(m);
	if (status == DB_OK) {
		status = merge_locked(m);
		enum db_status unlocked = status == DB_UNAVAILABLE ? status : run(m->tx, &facts_unlock, NULL);
		if (unlocked != DB_OK)
			log_line(LOG_WARN, "the facts lock went with its session", "import", m->report->import_id, NULL);
	}
	m->stopped = (status == DB_RETRY || status == DB_FAILED) && stopping(m);
	return status;
}
