/* assayd import KIND FILE: a file of the platform's feed straight into the database, by the same engine as POST /v1/imports. On
 * a terminal a bar shows how far it is; elsewhere a line now and then. What is wrong with the rows is listed on stderr, the
 * import as JSON goes to stdout. */
#include "model/store/import.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	BAR_WIDTH = 30,
	LINE_EVERY_MS = 5000, /* where no terminal shows the bar */
	ERRORS_SHOWN = 50,
	ERROR_TEXT_MAX = 4096
};

struct loading {
	const char *path;
	int fd;
	int64_t size; /* bytes; 0: not known, it is a pipe */
	bool terminal;
	bool drawn;
	int64_t began_ms, said_ms;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long read_file(void *arg, void *out, size_t size)
{
	const struct loading *l = arg;
	ssize_t n;
	do
		n = interrupted ? -1 : read(l->fd, out, size);
	while (n < 0 && !interrupted && errno == EINTR);
	return n;
}

static bool stopping(void *arg)
{
	(void)arg;
	return interrupted;
}

/* ---- progress ---- */

static void draw_bar(const struct loading *l, const struct import_progress *p, int64_t rate)
{
	static const char marks[] = "##############################";
	if (l->size) {
		int done = p->bytes >= l->size ? BAR_WIDTH : (int)(p->bytes * BAR_WIDTH / l->size);
		fprintf(stderr, "\r[%-*.*s] %3d%%  ", BAR_WIDTH, done, marks, done * 100 / BAR_WIDTH);
	} else {
		fprintf(stderr, "\r%.1f MB  ", (double)p->bytes / 1e6);
	}
	fprintf(stderr, "%lld rows, %lld bad, %lld rows/s%s\033[K", (long long)p->rows, (long long)p->rejected, (long long)rate,
	        p->applying ? ", applying" : "");
}

static void on_progress(void *arg, const struct import_progress *p)
{
	struct loading *l = arg;
	int64_t now = now_ms();
	int64_t rate = p->rows * 1000 / (now - l->began_ms + 1);
	if (l->terminal) {
		draw_bar(l, p, rate);
		l->drawn = true;
	} else if (p->applying || now - l->said_ms >= LINE_EVERY_MS) {
		l->said_ms = now;
		fprintf(stderr, "%s: %lld of %lld bytes, %lld rows, %lld bad, %lld rows/s%s\n", l->path, (long long)p->bytes,
		        (long long)l->size, (long long)p->rows, (long long)p->rejected, (long long)rate,
		        p->applying ? ", applying" : "");
	}
}

/* ---- the result ---- */

static void print_error(const char *path, const struct import_error *e)
{
	struct buf detail = BUF_INIT(ERROR_TEXT_MAX);
	const char *const args[] = {e->args[0], e->args[1], e->args[2]};
	code_detail(&detail, e->code, LANG_EN, args, FAULT_ARGS);
	fprintf(stderr, "%s:%lld:%s%s %s\n", path, (long long)e->line, e->column ? " " : "", e->column ? e->column : "",
	        detail.data ? detail.data : code_name(e->code));
	buf_free(&detail);
}

static void print_errors(const char *path, const struct import_report *r)
{
	for (size_t i = 0; i < r->errors.len && i < ERRORS_SHOWN; i++)
		print_error(path, &r->errors.items[i]);
	if (r->errors.len > ERRORS_SHOWN)
		fprintf(stderr, "... and more: GET /v1/imports/%s/errors\n", r->import_id);
}

static void print_failure(const struct loading *l, const struct import_report *r)
{
	char today[DAY_TEXT];
	switch (r->outcome) {
	case IMPORT_TOO_EARLY:
		fprintf(stderr, "assayd import: --complete-through must be before today, %s\n", day_text(r->today, today));
		return;
	case IMPORT_CUT:
		fprintf(stderr, "assayd import: %s: %s; nothing was applied\n", l->path,
		        interrupted ? "interrupted" : strerror(errno));
		return;
	case IMPORT_BAD_GZIP:
		fprintf(stderr, "assayd import: %s is not whole, valid gzip; nothing was applied\n", l->path);
		return;
	case IMPORT_UNAVAILABLE:
		fprintf(stderr, "assayd import: the database cannot be reached; run it again, what was applied already stays "
		                "unchanged\n");
		return;
	case IMPORT_BUSY:
		fprintf(stderr, "assayd import: other work stands in the way; try again\n");
		return;
	case IMPORT_APPLIED:
	case IMPORT_REJECTED:
	case IMPORT_FAILED:
		break;
	}
	fprintf(stderr, "assayd import: failed; the log says why\n");
}

static int print_report(const struct loading *l, const struct import_report *r)
{
	if (l->drawn)
		fputc('\n', stderr);
	if (r->outcome != IMPORT_APPLIED && r->outcome != IMPORT_REJECTED) {
		print_failure(l, r);
		return EXIT_REFUSED;
	}
	print_errors(l->path, r);
	fprintf(stderr,
	        "%s: %lld rows received, %lld inserted, %lld changed, %lld unchanged, %lld rejected; complete through %s\n",
	        r->outcome == IMPORT_APPLIED ? "Applied" : "Rejected, nothing was applied", (long long)r->rows.received,
	        (long long)r->rows.inserted, (long long)r->rows.changed, (long long)r->rows.unchanged,
	        (long long)r->rows.rejected, *r->watermark ? r->watermark : "no day yet");
	printf("%s\n", r->body);
	return r->outcome == IMPORT_APPLIED ? EXIT_DONE : EXIT_REFUSED;
}

/* ---- the command ---- */

static int load(struct loading *l, struct import_options o)
{
	struct settings settings;
	struct import_report report;
	if (!settings_read(&settings, stderr))
		return EXIT_USAGE;
	struct database *database = database_open(&settings);
	struct db *db = database ? db_open(database_url(database)) : NULL;
	int status = EXIT_REFUSED;
	if (db) {
		o.read = read_file;
		o.read_arg = l;
		o.stopping = stopping;
		o.progress = on_progress;
		o.progress_arg = l;
		o.created_by = "cli";
		o.ctx = "{\"request_id\":\"cli\",\"key_id\":\"cli\",\"key_name\":\"assayd import\"}";
		o.database_url = database_url(database);
		l->began_ms = l->said_ms = now_ms();
		import_run(db, &o, &report);
		status = print_report(l, &report);
		import_report_free(&report);
	}
	db_close(db);
	database_close(database);
	return status;
}

static int load_file(const char *path, const struct import_options *o)
{
	struct stat st;
	struct loading l = {.path = path, .fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)};
	if (l.fd < 0 || fstat(l.fd, &st) != 0) {
		fprintf(stderr, "assayd import: %s: %s\n", path, strerror(errno));
		return EXIT_REFUSED;
	}
	l.size = S_ISREG(st.st_mode) ? st.st_size : 0;
	l.terminal = isatty(STDERR_FILENO);
	struct sigaction act = {.sa_handler = on_signal};
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	int status = load(&l, *o);
	if (l.fd != STDIN_FILENO)
		close(l.fd);
	return status;
}

static int usage(void)
{
	fprintf(stderr, "Usage: assayd import stores|bindings|store_days|exam_passes FILE (- for standard input)\n"
	                "         [--mode atomic|per_row] [--complete-through YYYY-MM-DD] [--format csv|ndjson] [--dry-run]\n"
	                "Without --format it is NDJSON when the name ends in .ndjson or .jsonl (also before .gz). gzip is "
	                "found by itself.\n");
	return EXIT_USAGE;
}

static bool ends_in(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);
	return len >= n && memcmp(text + len - n, end, n) == 0;
}

static bool looks_like_ndjson(const char *path)
{
	size_t len = strlen(path);
	if (ends_in(path, len, ".gz"))
		len -= 3;
	return ends_in(path, len, ".ndjson") || ends_in(path, len, ".jsonl");
}

/* One of two words; false when `given` is neither. */
static bool either(const char *given, const char *no, const char *yes, bool *out)
{
	*out = strcmp(given, yes) == 0;
	return *out || strcmp(given, no) == 0;
}

/* An option at argv[*i], with its value. */
static bool read_option(struct import_options *o, int argc, char **argv, int *i, bool *format_said)
{
	const char *name = argv[*i];
	if (strcmp(name, "--dry-run") == 0)
		return o->dry_run = true;
	if (*i + 1 == argc)
		return false;
	const char *value = argv[++*i];
	if (strcmp(name, "--mode") == 0)
		return either(value, "atomic", "per_row", &o->per_row);
	if (strcmp(name, "--complete-through") == 0)
		return day_parse(value, &o->complete_through);
	if (strcmp(name, "--format") == 0)
		return (*format_said = either(value, "csv", "ndjson", &o->ndjson));
	return false;
}

int cmd_import(int argc, char **argv)
{
	struct import_options o = {.complete_through = DAY_NONE};
	const char *words[2] = {NULL, NULL}; /* kind, file */
	int n = 0;
	bool format_said = false;
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0) {
			if (!read_option(&o, argc, argv, &i, &format_said))
				return usage();
		} else if (n < 2) {
			words[n++] = argv[i];
		} else {
			return usage();
		}
	}
	if (n < 2 || !import_kind_by_name(words[0], &o.kind) || (o.complete_through != DAY_NONE && o.kind != IMPORT_STORE_DAYS))
		return usage();
	if (!format_said)
		o.ndjson = looks_like_ndjson(words[1]);
	return load_file(words[1], &o);
}
