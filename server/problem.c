#include "base/json_write.h"
#include "server/request_internal.h"

#include <string.h>

enum { PROBLEM_MAX_BYTES = 24 * 1024 * 1024 };

static void add_members(struct buf *out, const char *object)
{
	size_t len = strlen(object);
	if (len > 2 && object[0] == '{') {
		buf_putc(out, ',');
		buf_add(out, object + 1, len - 2);
	}
}

/* RFC 9457, in the caller's language. */
void problem_json(struct buf *out, const struct problem *p)
{
	struct json_writer w = json_writer_on(out);
	struct buf detail = BUF_INIT(8192);
	code_detail(&detail, p->code, p->lang, p->args, p->nargs);
	buf_puts(out, "{\"type\":\"urn:assay:problem:");
	buf_puts(out, code_name(p->code));
	buf_puts(out, "\",\"title\":");
	jw_string(&w, code_title(p->code, p->lang));
	buf_printf(out, ",\"status\":%d,\"detail\":", code_status(p->code));
	w = json_writer_on(out);
	jw_string(&w, detail.data ? detail.data : "");
	buf_printf(out, ",\"code\":\"%s\",\"request_id\":", code_name(p->code));
	w = json_writer_on(out);
	jw_string(&w, p->request_id);
	if (p->errors_json) {
		buf_puts(out, ",\"errors\":");
		buf_puts(out, p->errors_json);
	} else if (p->errors) {
		buf_puts(out, ",\"errors\":");
		faults_json(out, p->errors, p->lang);
	}
	if (p->extra_json)
		add_members(out, p->extra_json);
	buf_putc(out, '}');
	buf_free(&detail);
}

static const char *retry_after(enum code code)
{
	switch (code) {
	case CODE_IDEMPOTENCY_IN_FLIGHT:
	case CODE_OVERLOADED:
	case CODE_TOO_MANY_REQUESTS:
		return "1";
	case CODE_DATABASE_UNAVAILABLE:
	case CODE_STOPPING:
		return "2";
	default:
		return NULL;
	}
}

/* RFC 6750, 3.1: nothing was sent, or what was sent is not (or no longer) good. */
static const char *challenge(const struct request *rq)
{
	return request_header(rq, "Authorization") ? "Bearer realm=\"assay\", error=\"invalid_token\"" : "Bearer realm=\"assay\"";
}

static bool has_header(const struct request *rq, const char *name)
{
	for (int i = 0; i < rq->reply.headers_len; i++)
		if (strcmp(rq->reply.headers[i].name, name) == 0)
			return true;
	return false;
}

void reply_problem_rendered(struct request *rq, const struct problem *p)
{
	struct buf body = BUF_INIT(PROBLEM_MAX_BYTES);
	problem_json(&body, p);
	if (retry_after(p->code) && !has_header(rq, "Retry-After"))
		reply_header(rq, "Retry-After", retry_after(p->code));
	if (p->code == CODE_UNAUTHENTICATED)
		reply_header(rq, "WWW-Authenticate", challenge(rq));
	reply_header(rq, "Content-Language", p->lang == LANG_ZH ? "zh-CN" : "en");
	rq->reply.code = p->code;
	size_t len = body.len;
	char *bytes = buf_take(&body);
	if (bytes) {
		request_on_end(rq, free, bytes);
		reply_bytes(rq, code_status(p->code), "application/problem+json", bytes, len, true);
	} else {
		reply_bytes(rq, 500, "application/problem+json", "{\"code\":\"internal\"}", 19, true);
	}
}

void reply_problem_with(struct request *rq, enum code code, const char *const *args, size_t nargs, const struct faults *errors,
                        json_t *extra)
{
	char *extra_json = extra ? json_dumps(extra, JSON_COMPACT) : NULL;
	struct problem p = {.code = code,
	                    .args = args,
	                    .nargs = nargs,
	                    .errors = errors,
	                    .extra_json = extra_json,
	                    .request_id = rq->id,
	                    .lang = rq->lang};
	reply_problem_rendered(rq, &p);
	free(extra_json);
	json_decref(extra);
}

void reply_problem(struct request *rq, enum code code, const char *const *args, size_t nargs)
{
	reply_problem_with(rq, code, args, nargs, NULL, NULL);
}

void reply_faults(struct request *rq, const struct faults *f)
{
	char count[24];
	snprintf(count, sizeof count, "%zu", f->total);
	const char *args[] = {count};
	reply_problem_with(rq, CODE_INVALID_REQUEST, args, 1, f, NULL);
}

void reply_not_found(struct request *rq) { reply_problem(rq, CODE_NOT_FOUND, NULL, 0); }
