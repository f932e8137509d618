#include "model/store/import.h"

#include "base/gunzip.h"
#include "model/store/import_merge.h"
#include "model/store/import_rows.h"
#include "model/store/import_stage.h"
#include "server/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	PIECE_BYTES = 64 * 1024,
	PROGRESS_STORED_MS = 1000, /* for who asks by HTTP */
	PROGRESS_TOLD_MS = 100, /* to the caller */
	GZIP_FIRST_BYTE = 0x1f /* begins neither CSV nor NDJSON */
};

static const struct statement today_of = {
        .name = "import_today",
        .sql = "select assay_today() - date '1970-01-01', coalesce((select mode = 'test' from clock), false),"
               " store_day_kept_from() - date '1970-01-01'"};
static const struct statement make_id = {.name = "import_id", .sql = "select new_id('imp')"};
/* The lock is the session's: who can take it knows that the import is dead (import_sweep). */
static const struct statement create = {
        .name = "import_create",
        .sql = "with i as materialized (select new_id('imp') as id),"
               " locked as materialized (select id, pg_advisory_lock(import_lock_key(id)) from i)"
               " insert into import (import_id, kind, mode, status, complete_through, created_by)"
               " select id, $1, $2, 'receiving', $3, $4 from locked returning import_id",
        .params = 4};
/* Not worth waiting for the disk. */
static const struct statement store_progress = {
        .name = "import_progress",
        .sql = "update import set status = $2, bytes_received = $3, rows_received = $4, rows_rejected = $5,"
               " progressed_at = clock_timestamp()"
               " where import_id = $1 and set_config('synchronous_commit', 'off', true) is not null",
        .params = 5};
static const struct statement fail = {
        .name = "import_fail",
        .sql = "select import_fail($1, $2, $3::bigint, $4::bigint, $5::bigint)",
        .params = 5};
static const struct statement unlock = {
        .name = "import_unlock", .sql = "select pg_advisory_unlock(import_lock_key($1))", .params = 1};
static const struct statement sweep = {.name = "import_sweep", .sql = "select import_sweep()"};

struct job {
	struct db *db;
	const struct import_options *o;
	struct import_report *report;
	struct import_stage stage;
	struct import_rows *rows;
	struct import_errors errors; /* found while reading */
	struct gunzip *gunzip; /* NULL: the bytes are plain */
	struct sha256 *sha;
	char *piece, *plain; /* PIECE_BYTES each */
	bool header_bad;
	int64_t stored_ms, told_ms; /* when progress was last stored, and told */
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum import_outcome outcome_of(enum db_status status)
{
	switch (status) {
	case DB_OK:
		return IMPORT_APPLIED;
	case DB_UNAVAILABLE:
		return IMPORT_UNAVAILABLE;
	case DB_RETRY:
		return IMPORT_BUSY;
	case DB_FAILED:
		break;
	}
	return IMPORT_FAILED;
}

static enum db_status run(struct db *db, const struct statement *st, const char *const *params)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, st, params, &res);
	PQclear(res);
	return status;
}

/* ---- progress ---- */

struct numbers {
	char bytes[24], rows[24], rejected[24];
};

static void numbers_of(const struct job *j, struct numbers *n)
{
	snprintf(n->bytes, sizeof n->bytes, "%lld", (long long)j->report->bytes);
	snprintf(n->rows, sizeof n->rows, "%lld", j->rows ? (long long)import_rows_received(j->rows) : 0);
	snprintf(n->rejected, sizeof n->rejected, "%lld", j->rows ? (long long)import_rows_rejected(j->rows) : 0);
}

static enum db_status progress_to_table(struct job *j, const char *status_word)
{
	struct numbers n = {0};
	enum db_status status = import_stage_pause(&j->stage);
	if (status != DB_OK || j->o->dry_run)
		return status;
	numbers_of(j, &n);
	const char *const params[] = {j->report->import_id, status_word, n.bytes, n.rows, n.rejected};
	return run(j->db, &store_progress, params);
}

static void progress_to_caller(struct job *j, bool applying)
{
	const struct import_progress p = {.bytes = j->report->bytes,
	                                  .rows = import_rows_received(j->rows),
	                                  .rejected = import_rows_rejected(j->rows),
	                                  .applying = applying};
	if (j->o->progress)
		j->o->progress(j->o->progress_arg, &p);
}

static enum db_status progress(struct job *j)
{
	int64_t now = now_ms();
	if (now - j->told_ms >= PROGRESS_TOLD_MS) {
		progress_to_caller(j, false);
		j->told_ms = now;
	}
	if (now - j->stored_ms < PROGRESS_STORED_MS)
		return DB_OK;
	j->stored_ms = now;
	return progress_to_table(j, "receiving");
}

/* ---- bytes to rows ---- */

static bool take_row(void *arg, int64_t line, const struct cell *cells)
{
	struct job *j = arg;
	import_stage_row(&j->stage, line, cells);
	return j->stage.status == DB_OK;
}

/* IMPORT_APPLIED stands for "so far so good". */
static enum import_outcome after_rows(struct job *j, enum import_rows_status status)
{
	j->header_bad = status == ROWS_BAD_HEADER;
	if (status == ROWS_NO_MEMORY)
		return IMPORT_FAILED;
	return outcome_of(j->stage.status);
}

static enum import_outcome take_plain(struct job *j, const char *p, size_t n)
{
	return j->header_bad ? IMPORT_APPLIED : after_rows(j, import_rows_feed(j->rows, p, n));
}

static enum import_outcome take_gzip(struct job *j, const char *p, size_t n)
{
	size_t got = 0;
	enum import_outcome outcome = IMPORT_APPLIED;
	gunzip_feed(j->gunzip, p, n);
	do {
		enum gunzip_status status = gunzip_read(j->gunzip, j->plain, PIECE_BYTES, &got);
		if (status == GUNZIP_NO_MEMORY)
			return IMPORT_FAILED;
		if (status != GUNZIP_OK)
			return IMPORT_BAD_GZIP;
		outcome = take_plain(j, j->plain, got);
		if (outcome == IMPORT_APPLIED)
			outcome = outcome_of(progress(j));
	} while (got && outcome == IMPORT_APPLIED);
	return outcome;
}

static enum import_outcome take_piece(struct job *j, const char *p, size_t n)
{
	bool first = j->report->bytes == 0;
	sha256_add(j->sha, p, n);
	j->report->bytes += (int64_t)n;
	if (first && !j->gunzip && (unsigned char)*p == GZIP_FIRST_BYTE && !(j->gunzip = gunzip_new()))
		return IMPORT_FAILED;
	return j->gunzip ? take_gzip(j, p, n) : take_plain(j, p, n);
}

static enum import_outcome end_of_body(struct job *j)
{
	unsigned char digest[SHA256_BYTES];
	if (j->gunzip && gunzip_end(j->gunzip) != GUNZIP_OK)
		return IMPORT_BAD_GZIP;
	enum import_outcome outcome = j->header_bad ? IMPORT_APPLIED : after_rows(j, import_rows_end(j->rows));
	if (outcome != IMPORT_APPLIED)
		return outcome;
	sha256_end(j->sha, digest);
	j->sha = NULL;
	hex_of(digest, sizeof digest, j->report->sha256);
	j->report->rows.received = import_rows_received(j->rows);
	j->report->rows.rejected = import_rows_rejected(j->rows);
	progress_to_caller(j, true);
	return outcome_of(progress_to_table(j, "applying"));
}

static enum import_outcome receive(struct job *j)
{
	for (;;) {
		long n = j->o->read(j->o->read_arg, j->piece, PIECE_BYTES);
		if (n < 0)
			return IMPORT_CUT;
		if (n == 0)
			return end_of_body(j);
		enum import_outcome outcome = take_piece(j, j->piece, (size_t)n);
		if (outcome == IMPORT_APPLIED)
			outcome = outcome_of(progress(j));
		if (outcome != IMPORT_APPLIED)
			return outcome;
	}
}

/* ---- the merge ---- */

static enum import_outcome merge(struct job *j)
{
	struct import_merge m = {.staged = j->db,
	                         .tx = j->db,
	                         .o = j->o,
	                         .stage = &j->stage,
	                         .read_errors = &j->errors,
	                         .read_rejected = import_rows_rejected(j->rows),
	                         .header_bad = j->header_bad,
	                         .trusted = true,
	                         .report = j->report};
	if (j->o->kind == IMPORT_STORE_DAYS && !(m.tx = db_open(j->o->database_url)))
		return IMPORT_FAILED;
	enum db_status status = import_merge(&m);
	if (m.tx != j->db)
		db_close(m.tx);
	if (status == DB_OK)
		return j->report->outcome;
	return m.stopped ? IMPORT_CUT : outcome_of(status);
}

/* ---- begin and end ---- */

static enum import_outcome check_day(struct job *j, struct cell_limits *limits)
{
	PGresult *res = NULL;
	enum db_status status = db_run(j->db, &today_of, NULL, &res);
	if (status != DB_OK)
		return outcome_of(status);
	bool sandbox = *PQgetvalue(res, 0, 1) == 't';
	limits->today = (day)strtol(PQgetvalue(res, 0, 0), NULL, 10);
	limits->first_day = PQgetisnull(res, 0, 2) ? DAY_NONE : (day)strtol(PQgetvalue(res, 0, 2), NULL, 10);
	limits->last_day = sandbox ? DAY_MAX : limits->today;
	j->report->today = limits->today;
	PQclear(res);
	bool said = j->o->complete_through != DAY_NONE;
	return said && !sandbox && j->o->complete_through >= limits->today ? IMPORT_TOO_EARLY : IMPORT_APPLIED;
}

static enum db_status create_import(struct job *j)
{
	char through[DAY_TEXT];
	const struct import_options *o = j->o;
	bool said = o->complete_through != DAY_NONE;
	const char *const params[] = {import_kind_names[o->kind], o->per_row ? "per_row" : "atomic",
	                              said ? day_text(o->complete_through, through) : NULL, o->created_by};
	PGresult *res = NULL;
	enum db_status status = o->dry_run ? db_run(j->db, &make_id, NULL, &res) : db_run(j->db, &create, params, &res);
	if (status == DB_OK)
		snprintf(j->report->import_id, sizeof j->report->import_id, "%s", PQgetvalue(res, 0, 0));
	PQclear(res);
	return status;
}

static bool make_readers(struct job *j, const struct cell_limits *limits)
{
	const struct import_rows_options rows = {
	        .kind = j->o->kind, .ndjson = j->o->ndjson, .limits = *limits, .errors = &j->errors, .row = take_row, .arg = j};
	j->rows = import_rows_new(&rows);
	j->sha = sha256_new();
	j->piece = malloc(PIECE_BYTES);
	j->plain = malloc(PIECE_BYTES);
	if (j->o->gzip)
		j->gunzip = gunzip_new();
	j->stored_ms = j->told_ms = now_ms();
	return j->rows && j->sha && j->piece && j->plain && (j->gunzip || !j->o->gzip);
}

static void mark_failed(struct job *j)
{
	struct numbers n = {0};
	numbers_of(j, &n);
	const char *const params[] = {j->o->ctx, j->report->import_id, n.bytes, n.rows, n.rejected};
	if (*j->report->import_id && !j->o->dry_run && j->report->outcome != IMPORT_UNAVAILABLE)
		(void)run(j->db, &fail, params);
}

static void tidy_up(struct job *j)
{
	const char *const params[] = {j->report->import_id};
	if (j->stage.db)
		import_stage_close(&j->stage);
	if (j->report->outcome != IMPORT_APPLIED && j->report->outcome != IMPORT_REJECTED)
		mark_failed(j);
	if (*j->report->import_id && !j->o->dry_run)
		(void)run(j->db, &unlock, params);
	if (db_exec(j->db, "reset statement_timeout") != DB_OK)
		log_line(LOG_WARN, "an import's session was lost", "import", j->report->import_id, NULL);
}

static void job_free(struct job *j)
{
	import_rows_free(j->rows);
	import_errors_free(&j->errors);
	gunzip_free(j->gunzip);
	if (j->sha)
		sha256_end(j->sha, NULL);
	free(j->piece);
	free(j->plain);
}

static enum import_outcome run_job(struct job *j)
{
	struct cell_limits limits = {0};
	enum import_outcome outcome = check_day(j, &limits);
	if (outcome != IMPORT_APPLIED)
		return outcome;
	if (!make_readers(j, &limits))
		return IMPORT_FAILED;
	enum db_status status = db_exec(j->db, "set statement_timeout = 0"); /* a COPY lasts as long as its sender takes */
	if (status == DB_OK)
		status = create_import(j);
	if (status == DB_OK)
		status = import_stage_open(&j->stage, j->db, j->o->kind);
	outcome = status == DB_OK ? receive(j) : outcome_of(status);
	return outcome == IMPORT_APPLIED ? merge(j) : outcome;
}

void import_run(struct db *db, const struct import_options *o, struct import_report *report)
{
	struct job *j = calloc(1, sizeof *j);
	*report = (struct import_report){.outcome = IMPORT_FAILED};
	if (!j)
		return;
	j->db = db;
	j->o = o;
	j->report = report;
	report->outcome = run_job(j);
	tidy_up(j);
	job_free(j);
	free(j);
}

void import_report_free(struct import_report *report)
{
	free(report->body);
	import_errors_free(&report->errors);
	*report = (struct import_report){0};
}

enum db_status import_sweep(struct db *db)
{
	return run(db, &sweep, NULL);
}
