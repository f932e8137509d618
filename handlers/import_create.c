/* POST /v1/imports: the body goes through a worker into the engine (model/store/import.h) while it arrives. */
#include "base/json_write.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/keyed.h"
#include "model/store/daily.h"
#include "model/store/import.h"
#include "model/store/import_reads.h"
#include "server/log.h"
#include "server/upload.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	ERRORS_ANSWERED = 100, /* of a rejected import; all that are kept are under /errors */
	EXTRA_MAX = 1024 * 1024,
	DRAIN_BYTES = 64 * 1024
};

struct create {
	struct import_options options;
	struct keyed keyed;
	struct request *rq;
	PGresult *answer; /* what is replied; owned */
};

/* ---- the request's head ---- */

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static bool token_is(const char *p, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(p, word, len) == 0;
}

/* One parameter of a media type, from behind its semicolon. False: it asks for what is not done here. */
static bool parameter_ok(const char *p, size_t len)
{
	const char *equals = memchr(p, '=', len);
	if (!equals)
		return true;
	const char *value = equals + 1;
	size_t value_len = len - (size_t)(value - p);
	if (value_len >= 2 && *value == '"' && value[value_len - 1] == '"') {
		value++;
		value_len -= 2;
	}
	if (token_is(p, (size_t)(equals - p), "charset"))
		return token_is(value, value_len, "utf-8") || token_is(value, value_len, "us-ascii");
	return !(token_is(p, (size_t)(equals - p), "header") && token_is(value, value_len, "absent"));
}

static bool parameters_ok(const char *p)
{
	while (*p == ';') {
		p = skip_blanks(p + 1);
		size_t len = strcspn(p, ";");
		size_t end = len;
		while (end && (p[end - 1] == ' ' || p[end - 1] == '\t'))
			end--;
		if (!parameter_ok(p, end))
			return false;
		p += len;
	}
	return true;
}

static bool read_content_type(const struct request *rq, bool *ndjson)
{
	const char *type = request_header(rq, "Content-Type");
	if (!type)
		return false;
	type = skip_blanks(type);
	size_t len = strcspn(type, "; \t");
	*ndjson = token_is(type, len, "application/x-ndjson");
	return (*ndjson || token_is(type, len, "text/csv")) && parameters_ok(skip_blanks(type + len));
}

static bool read_encoding(const struct request *rq, bool *gzip)
{
	const char *encoding = request_header(rq, "Content-Encoding");
	*gzip = encoding && (strcasecmp(encoding, "gzip") == 0 || strcasecmp(encoding, "x-gzip") == 0);
	return !encoding || *gzip || strcasecmp(encoding, "identity") == 0;
}

/* ---- the answer ---- */

static void put_rows(struct json_writer *w, const struct import_counts *rows)
{
	jw_key(w, "rows");
	jw_object(w);
	jw_kint(w, "received", rows->received);
	jw_kint(w, "inserted", rows->inserted);
	jw_kint(w, "changed", rows->changed);
	jw_kint(w, "unchanged", rows->unchanged);
	jw_kint(w, "rejected", rows->rejected);
	jw_object_end(w);
}

static void put_errors(struct buf *out, const struct import_errors *errors, enum lang lang)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < errors->len && i < ERRORS_ANSWERED; i++) {
		if (i)
			buf_putc(out, ',');
		import_error_json(out, &errors->items[i], lang);
	}
	buf_putc(out, ']');
}

/* A rejected import's members, for its problem. `status` is the problem's there. */
static void put_rejected(struct buf *out, const struct create *c, const struct import_report *report)
{
	struct buf errors = BUF_INIT(EXTRA_MAX);
	struct json_writer w = json_writer_on(out);
	put_errors(&errors, &report->errors, request_lang(c->rq));
	jw_object(&w);
	jw_kstring(&w, "import_id", report->import_id);
	jw_kstring(&w, "kind", import_kind_names[c->options.kind]);
	jw_kstring(&w, "mode", c->options.per_row ? "per_row" : "atomic");
	jw_kstring(&w, "import_status", "rejected");
	put_rows(&w, &report->rows);
	jw_kstring(&w, "watermark", *report->watermark ? report->watermark : NULL);
	jw_key(&w, "errors");
	jw_raw(&w, errors.data, errors.len);
	jw_object_end(&w);
	out->failed = out->failed || errors.failed;
	buf_free(&errors);
}

static enum db_status answer_rejected(struct create *c, struct db *db, const struct import_report *report)
{
	struct buf extra = BUF_INIT(2 * EXTRA_MAX);
	char args[80];
	put_rejected(&extra, c, report);
	snprintf(args, sizeof args, "[\"%lld\",\"%lld\"]", (long long)report->rows.rejected, (long long)report->rows.received);
	const char *const params[] = {c->keyed.context, NULL, "import_rejected", args, extra.data, NULL, NULL};
	enum db_status status = extra.failed ? DB_FAILED : db_run(db, &IMPORT_ANSWER, params, &c->answer);
	buf_free(&extra);
	return status;
}

static enum db_status answer_applied(struct create *c, struct db *db, const struct import_report *report)
{
	char location[IMPORT_ID_MAX + 16];
	snprintf(location, sizeof location, "/v1/imports/%s", report->import_id);
	const char *const params[] = {
	        c->keyed.context, "201", NULL, NULL, NULL, report->body, c->options.dry_run ? NULL : location};
	return db_run(db, &IMPORT_ANSWER, params, &c->answer);
}

/* The answer, made in the import's own transaction, so that it is kept under the idempotency key exactly when the import is. */
static enum db_status decided(void *arg, struct db *db, const struct import_report *report)
{
	struct create *c = arg;
	PQclear(c->answer); /* of a try before */
	c->answer = NULL;
	if (!keyed_add_body(&c->keyed, report->sha256))
		return DB_FAILED;
	return report->outcome == IMPORT_APPLIED ? answer_applied(c, db, report) : answer_rejected(c, db, report);
}

/* ---- the work ---- */

static long read_upload(void *arg, void *out, size_t size)
{
	return upload_read(arg, out, size);
}

static bool stopping(void *worker)
{
	return worker_stopping(worker);
}

static void refresh(struct worker *w, bool moved)
{
	const struct daily_control control = {.stopping = stopping, .arg = w};
	if (closing_after_import(worker_db(w), moved, &control) != DB_OK)
		log_line(LOG_WARN, "what an import made stale is computed later", NULL);
}

static void after_days(struct worker *w, void *arg)
{
	(void)arg;
	refresh(w, true);
}

static void after_other(struct worker *w, void *arg)
{
	(void)arg;
	refresh(w, false);
}

static void reply_too_early(const struct create *c, const struct import_report *report)
{
	char asked[DAY_TEXT];
	char last[DAY_TEXT];
	FAULTS_HERE(f);
	faults_add(&f, "complete_through", CODE_MUST_BE_BEFORE, day_text(c->options.complete_through, asked),
	           day_text(report->today - 1, last), NULL);
	reply_faults(c->rq, &f);
}

static void reply_failure(const struct create *c, const struct import_report *report)
{
	switch (report->outcome) {
	case IMPORT_TOO_EARLY:
		reply_too_early(c, report);
		return;
	case IMPORT_BAD_GZIP:
		reply_problem(c->rq, CODE_INVALID_GZIP, NULL, 0);
		return;
	case IMPORT_CUT: /* nobody is there to answer, unless the service stops */
		reply_problem(c->rq, CODE_STOPPING, NULL, 0);
		return;
	case IMPORT_UNAVAILABLE:
		reply_problem(c->rq, CODE_DATABASE_UNAVAILABLE, NULL, 0);
		return;
	case IMPORT_BUSY:
		reply_problem(c->rq, CODE_OVERLOADED, NULL, 0);
		return;
	case IMPORT_APPLIED:
	case IMPORT_REJECTED:
	case IMPORT_FAILED:
		break;
	}
	reply_problem(c->rq, CODE_INTERNAL, NULL, 0);
}

static bool was_decided(const struct import_report *report)
{
	return report->outcome == IMPORT_APPLIED || report->outcome == IMPORT_REJECTED;
}

static void run_import(struct worker *w, struct create *c)
{
	struct import_report report;
	struct import_options *o = &c->options;
	o->read = read_upload;
	o->read_arg = request_upload(c->rq);
	o->database_url = worker_database_url(w);
	o->created_by = request_caller(c->rq)->key_id;
	o->ctx = request_printf(c->rq, "%s", c->keyed.context); /* that of `keyed` changes once the body's hash is known */
	o->stopping = stopping;
	o->stopping_arg = w;
	o->decided = decided;
	o->decided_arg = c;
	import_run(worker_db(w), o, &report);
	if (was_decided(&report) && o->dry_run && decided(c, worker_db(w), &report) != DB_OK)
		report.outcome = IMPORT_UNAVAILABLE;
	if (was_decided(&report))
		keyed_reply(&c->keyed, c->answer);
	else
		reply_failure(c, &report);
	if (report.outcome == IMPORT_APPLIED && !o->dry_run)
		workers_submit(o->complete_through != DAY_NONE ? after_days : after_other, NULL);
	import_report_free(&report);
}

/* The key was answered before: the body is only compared. */
static void replay(struct create *c)
{
	char *piece = malloc(DRAIN_BYTES);
	struct sha256 *sha = sha256_new();
	unsigned char digest[SHA256_BYTES];
	char hex[SHA256_HEX];
	long n = -1;
	while (piece && sha && (n = upload_read(request_upload(c->rq), piece, DRAIN_BYTES)) > 0)
		sha256_add(sha, piece, (size_t)n);
	if (sha)
		sha256_end(sha, digest);
	free(piece);
	if (n != 0) {
		reply_problem(c->rq, CODE_STOPPING, NULL, 0);
		return;
	}
	hex_of(digest, sizeof digest, hex);
	if (keyed_add_body(&c->keyed, hex))
		keyed_replay(&c->keyed);
	else
		reply_problem(c->rq, CODE_OVERLOADED, NULL, 0);
}

static void work(struct worker *w, struct request *rq)
{
	struct create *c = request_state(rq);
	bool answered;
	if (keyed_hold(&c->keyed, w, rq) && keyed_answered(&c->keyed, &answered)) {
		if (answered)
			replay(c);
		else
			run_import(w, c);
	}
	PQclear(c->answer);
	c->answer = NULL;
	keyed_end(&c->keyed);
}

static void read_query(struct request *rq, struct import_options *o, struct faults *f)
{
	static const char *const modes[] = {"atomic", "per_row", NULL};
	const char *kind = NULL;
	const char *mode = "atomic";
	if (!request_query(rq, "kind"))
		faults_add(f, "kind", CODE_MISSING, NULL);
	else if (request_query_word(rq, "kind", import_kind_names, &kind, f))
		(void)import_kind_by_name(kind, &o->kind);
	request_query_word(rq, "mode", modes, &mode, f);
	o->per_row = strcmp(mode, "per_row") == 0;
	o->complete_through = DAY_NONE;
	if (request_query_day(rq, "complete_through", &o->complete_through, f) && kind && o->kind != IMPORT_STORE_DAYS)
		faults_add(f, "complete_through", CODE_UNKNOWN_PARAMETER, NULL);
}

void handle_import_create(struct request *rq)
{
	struct create *c = request_alloc(rq, sizeof *c);
	FAULTS_HERE(f);
	c->rq = rq;
	c->options.dry_run = request_dry_run(rq);
	read_query(rq, &c->options, &f);
	if (!read_content_type(rq, &c->options.ndjson)) {
		reply_problem(rq, CODE_UNSUPPORTED_MEDIA_TYPE, (const char *const[]){"text/csv, application/x-ndjson"}, 1);
	} else if (!read_encoding(rq, &c->options.gzip)) {
		reply_problem(rq, CODE_UNSUPPORTED_MEDIA_TYPE, (const char *const[]){"Content-Encoding: gzip"}, 1);
	} else if (faults_any(&f)) {
		reply_faults(rq, &f);
	} else {
		request_set_state(rq, c);
		request_work(rq, work);
	}
}
