/* The audit log: read, and checked for tampering. */
#include "model/store/audit.h"

#include "base/base64url.h"
#include "base/json_write.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/instant.h"
#include "handlers/work.h"
#include "model/store/close.h"

#include <stdatomic.h>
#include <string.h>

enum {
	CHECK_MS = 20000, /* an answer takes so long at most; the next one goes on from there */
	PROBLEMS_SHOWN = 100,
	TEXT_MAX = 1000,
	BODY_MAX = 1024 * 1024
};

/* ---- the list ---- */

static const char *instant_of(struct request *rq, const char *name, struct faults *f)
{
	const char *text = request_query(rq, name);
	if (text && !instant_valid(text)) {
		faults_add(f, name, CODE_WRONG_FORMAT, "RFC 3339", NULL);
		return NULL;
	}
	return text;
}

/* Cursors are ids here; another one is no cursor of this list. */
static void check_cursor(struct request *rq, struct faults *f)
{
	struct page page;
	struct faults own = {0};
	if (request_page(rq, &page, &own) && page.after &&
	    (strspn(page.after, "0123456789") != strlen(page.after) || strlen(page.after) > 18))
		faults_add(f, "cursor", CODE_WRONG_FORMAT, "next_cursor", NULL);
	faults_free(&own);
}

void handle_audit_list(struct request *rq)
{
	FAULTS_HERE(f);
	const char *from = instant_of(rq, "from", &f), *to = instant_of(rq, "to", &f);
	const char *const filters[] = {request_query(rq, "subject"),
	                               request_query(rq, "provider_id"),
	                               request_query(rq, "actor_id"),
	                               request_query(rq, "action"),
	                               from,
	                               to};
	check_cursor(rq, &f);
	list_of_all(rq, &AUDIT_LIST, filters, COUNT_OF(filters), &f);
}

/* ---- the check ---- */

struct verification {
	struct audit_check check;
	struct audit_head remembered;
	struct worker *worker;
	struct audit_problem problems[PROBLEMS_SHOWN];
	size_t shown;
};

/* One at a time a process: it takes a worker for a while, and there are few. */
static atomic_flag verifying = ATOMIC_FLAG_INIT;

static void found(void *arg, const struct audit_problem *p)
{
	struct verification *v = arg;
	if (v->shown < PROBLEMS_SHOWN)
		v->problems[v->shown++] = *p;
}

static bool stopping(void *arg)
{
	const struct verification *v = arg;
	return worker_stopping(v->worker);
}

static void write_problem(struct json_writer *w, const struct audit_problem *p, enum lang lang)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	audit_problem_text(&text, p, lang);
	jw_object(w);
	jw_kstring(w, "code", code_name(p->code));
	if (*p->audit_id)
		jw_kstring(w, "audit_id", p->audit_id);
	else
		jw_knull(w, "audit_id");
	if (p->position)
		jw_kint(w, "position", p->position);
	else
		jw_knull(w, "position");
	jw_kstring(w, "message", text.data ? text.data : "");
	jw_object_end(w);
	buf_free(&text);
}

static void write_head(struct json_writer *w, const struct audit_head *head)
{
	jw_key(w, "head");
	if (head->position) {
		jw_object(w);
		jw_kint(w, "position", head->position);
		jw_kstring(w, "sha256", head->sha256);
		jw_object_end(w);
	} else {
		jw_null(w);
	}
}

static void write_verification(struct buf *out, const struct verification *v, enum lang lang)
{
	const struct audit_check *c = &v->check;
	struct json_writer w = json_writer_on(out);
	jw_object(&w);
	jw_kbool(&w, "ok", c->problems == 0);
	jw_kbool(&w, "complete", !*c->cursor);
	jw_kint(&w, "links", c->links);
	jw_kint(&w, "entries", c->entries);
	jw_kint(&w, "unsealed", c->waiting);
	write_head(&w, &c->head);
	jw_kint(&w, "problem_count", c->problems);
	jw_key(&w, "problems");
	jw_array(&w);
	for (size_t i = 0; i < v->shown; i++)
		write_problem(&w, &v->problems[i], lang);
	jw_array_end(&w);
	if (*c->cursor) {
		char cursor[BASE64URL_TEXT(AUDIT_CURSOR_MAX)];
		base64url_encode(c->cursor, strlen(c->cursor), cursor);
		jw_kstring(&w, "resume", cursor);
	} else {
		jw_knull(&w, "resume");
	}
	jw_object_end(&w);
}

static void verify(struct worker *w, struct request *rq)
{
	struct verification *v = request_state(rq);
	if (atomic_flag_test_and_set(&verifying)) {
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
		return;
	}
	v->worker = w;
	v->check.deadline_ms = monotonic_ms() + CHECK_MS;
	bool ok = work_ok(rq, worker_db(w), audit_check(worker_db(w), &v->check));
	atomic_flag_clear(&verifying);
	if (!ok)
		return;
	struct buf body = BUF_INIT(BODY_MAX);
	write_verification(&body, v, request_lang(rq));
	reply_json(rq, 200, &body);
}

static void read_resume(struct request *rq, struct audit_check *c, struct faults *f)
{
	const char *resume = request_query(rq, "resume");
	size_t len = 0;
	if (!resume)
		return;
	if (base64url_decode(resume, strlen(resume), c->cursor, AUDIT_CURSOR_MAX - 1, &len) && strlen(c->cursor) == len &&
	    audit_cursor_valid(c->cursor))
		return;
	faults_add(f, "resume", CODE_WRONG_FORMAT, "resume", NULL);
}

void handle_audit_verify(struct request *rq)
{
	struct verification *v = request_alloc(rq, sizeof *v);
	const char *head = request_query(rq, "head");
	FAULTS_HERE(f);
	v->check.found = found;
	v->check.stopping = stopping;
	v->check.arg = v;
	read_resume(rq, &v->check, &f);
	if (head && audit_head_read(head, &v->remembered))
		v->check.remembered = &v->remembered;
	else if (head)
		faults_add(&f, "head", CODE_WRONG_FORMAT, "POSITION:SHA256", NULL);
	request_set_state(rq, v);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else
		request_work(rq, verify);
}
