/* assayd close --as-of DAY [--dry-run] [--chunk N]: an assessment run from the command line, with its progress and its results. */
#include "base/json_write.h"
#include "cli/cli.h"
#include "model/store/gather.h"
#include "model/store/runs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static bool stopping(void *arg)
{
	(void)arg;
	return interrupted;
}

static const struct statement RUN_COUNTS = {
        .name = "cli_run_counts",
        .sql = "select status, met, not_met, awaiting_data, total from assessment_run where run_id = $1",
        .params = 1,
};

static const struct statement RUN_RESULTS = {
        .name = "cli_run_results",
        .sql = "select x.period_id, x.provider_id, d.stage, d.number, d.start_day, d.end_day, x.outcome,"
               " coalesce(x.decision_id, x.missing_from || '..' || x.missing_through, '-')"
               " from assessment_run_result x join period d on d.period_id = x.period_id"
               " where x.run_id = $1 and x.period_id > $2 order by x.period_id limit 1000",
        .params = 2,
};

struct progress {
	bool shown; /* stderr is a terminal */
	long long total;
};

static void progressed(void *arg, int64_t judged)
{
	struct progress *p = arg;
	if (!p->shown)
		return;
	long long total = judged > p->total ? judged : p->total;
	int done = total ? (int)(judged * 40 / total) : 40;
	fprintf(stderr, "\r[%-40.*s] %lld of %lld periods", done, "########################################", (long long)judged, total);
}

/* "" when it was refused, and why is said. */
static void create_run(struct db *db, const char *as_of, bool dry_run, char run_id[64])
{
	struct buf args = BUF_INIT(200);
	struct json_writer w = json_writer_on(&args);
	jw_object(&w);
	jw_kstring(&w, "as_of", as_of);
	jw_kbool(&w, "dry_run", dry_run);
	jw_object_end(&w);
	const char *const params[] = {"{\"request_id\":\"cli\",\"key_id\":\"cli\",\"key_name\":\"assayd close\"}", args.data};
	PGresult *res = NULL;
	run_id[0] = '\0';
	if (db_run(db, &RUN_CREATE, params, &res) != DB_OK)
		fprintf(stderr, "assayd close: the database refused: %s\n", db_message(db));
	else if (!PQgetisnull(res, 0, 0))
		fprintf(stderr, "assayd close: %s is after today, %s\n", as_of, PQgetvalue(res, 0, 2));
	else
		snprintf(run_id, 64, "%s", PQgetvalue(res, 0, 1));
	PQclear(res);
	buf_free(&args);
}

static bool print_results(struct db *db, const char *run_id)
{
	char after[64] = "";
	int rows;
	do {
		PGresult *res = NULL;
		if (db_run(db, &RUN_RESULTS, (const char *const[]){run_id, after}, &res) != DB_OK)
			return false;
		rows = PQntuples(res);
		for (int row = 0; row < rows; row++)
			for (int column = 0; column < PQnfields(res); column++)
				printf("%s%c", PQgetvalue(res, row, column), column + 1 < PQnfields(res) ? '\t' : '\n');
		if (rows)
			snprintf(after, sizeof after, "%s", PQgetvalue(res, rows - 1, 0));
		PQclear(res);
	} while (rows);
	return true;
}

static bool print_counts(struct db *db, const char *run_id, bool dry_run)
{
	PGresult *res = NULL;
	if (db_run(db, &RUN_COUNTS, (const char *const[]){run_id}, &res) != DB_OK)
		return false;
	bool ok = strcmp(PQgetvalue(res, 0, 0), "failed") != 0;
	fprintf(stderr, "%s%s: %s met, %s not met, %s awaiting data%s\n", run_id, dry_run ? " (dry run, nothing decided)" : "",
	        PQgetvalue(res, 0, 1), PQgetvalue(res, 0, 2), PQgetvalue(res, 0, 3),
	        ok ? "" : "; some periods could not be judged, the log says which");
	PQclear(res);
	return ok;
}

static long long total_of(struct db *db, const char *run_id)
{
	PGresult *res = NULL;
	long long total = 0;
	if (db_run(db, &RUN_COUNTS, (const char *const[]){run_id}, &res) == DB_OK)
		total = strtoll(PQgetvalue(res, 0, 4), NULL, 10);
	PQclear(res);
	return total;
}

static bool run_whole(struct db *db, const char *run_id, int chunk)
{
	struct progress progress = {.shown = isatty(STDERR_FILENO), .total = total_of(db, run_id)};
	struct run_work work = {.run_id = run_id, .chunk = chunk, .stopping = stopping, .progressed = progressed, .arg = &progress};
	enum run_end end;
	enum db_status status = run_continue(db, &work, &end);
	if (progress.shown)
		fputc('\n', stderr);
	if (status == DB_OK && end == RUN_DONE)
		return true;
	fprintf(stderr, "assayd close: %s; %s goes on when the service runs, or with the same command\n",
	        status == DB_OK ? interrupted ? "interrupted" : "another process is at it" : db_message(db), run_id);
	return false;
}

static int close_as_of(const char *as_of, bool dry_run, int chunk)
{
	struct settings settings;
	char run_id[64] = "";
	if (!settings_read(&settings, stderr))
		return EXIT_USAGE;
	struct database *database = database_open(&settings);
	struct db *db = database ? db_open(database_url(database)) : NULL;
	if (db)
		create_run(db, as_of, dry_run, run_id);
	bool ok = *run_id && run_whole(db, run_id, chunk) && print_results(db, run_id) && print_counts(db, run_id, dry_run);
	db_close(db);
	database_close(database);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

/* How many periods are decided in one transaction: what a kill loses at most, and how long others wait for them. */
static bool chunk_parse(const char *text, int *out)
{
	char *end;
	long n = strtol(text, &end, 10);
	*out = (int)n;
	return *text >= '0' && *text <= '9' && !*end && n >= 1 && n <= GATHER_PERIODS_MAX;
}

int cmd_close(int argc, char **argv)
{
	const char *as_of = NULL;
	bool dry_run = false, good = true;
	int chunk = 0;
	day parsed;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--dry-run") == 0)
			dry_run = true;
		else if (strcmp(argv[i], "--as-of") == 0 && i + 1 < argc)
			as_of = argv[++i];
		else if (strcmp(argv[i], "--chunk") == 0 && i + 1 < argc)
			good = chunk_parse(argv[++i], &chunk) && good;
		else
			good = false;
	}
	if (!good || !as_of || !day_parse(as_of, &parsed)) {
		fprintf(stderr, "Usage: assayd close --as-of YYYY-MM-DD [--dry-run] [--chunk 1..%d]\n", GATHER_PERIODS_MAX);
		return EXIT_USAGE;
	}
	struct sigaction act = {.sa_handler = on_signal};
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	return close_as_of(as_of, dry_run, chunk);
}
