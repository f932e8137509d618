/* POST /v1/evaluations: facts and policies in, a decision out, nothing of it stored; or a decision's document in, and the same one
 * out. Bodies may be large, so that they are read,
 * parsed and evaluated on a worker; how many at once is the number of stream workers. */
#include "base/json_read.h"
#include "base/sha256.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/keyed.h"
#include "model/rules/document.h"
#include "model/store/policy_cache.h"
#include "model/store/verdict.h"
#include "server/upload.h"

#include <string.h>

enum { READ_BYTES = 64 * 1024 };

/* The whole body, at most what the operation takes. False: a problem is staged, or there is nobody to answer. */
static bool read_body(struct request *rq, struct buf *body)
{
	struct upload *u = request_upload(rq);
	long n = 0;
	while (buf_reserve(body, READ_BYTES) && (n = upload_read(u, body->data + body->len, READ_BYTES)) > 0)
		body->len += (size_t)n;
	if (n < 0) {
		reply_problem(rq, CODE_STOPPING, NULL, 0); /* or the caller went away */
		return false;
	}
	if (!body->failed)
		return true;
	const char *const args[] = {request_printf(rq, "%zu", request_operation(rq)->body_max)};
	upload_drain(u);
	reply_problem(rq, CODE_BODY_TOO_LARGE, args, 1);
	return false;
}

static bool parse(struct request *rq, const struct buf *body, json_t **json)
{
	FAULTS_HERE(f);
	enum json_verdict verdict = json_read(body->len ? body->data : "", body->len, JSON_DEPTH_MAX, json, &f);
	if (verdict == JSON_MALFORMED && f.len)
		reply_problem(rq, CODE_INVALID_JSON, (const char *const[]){f.items[0].args[0], f.items[0].args[1], f.items[0].args[2]}, 3);
	else if (verdict == JSON_NO_MEMORY)
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	else if (verdict != JSON_OK)
		reply_faults(rq, &f);
	return verdict == JSON_OK;
}

/* Fetches the policies that are named by reference, so that the reader finds them in the cache. */
static bool fetch_policies(struct db *db, struct request *rq, const json_t *json)
{
	const char *refs[EVALUATION_POLICIES];
	size_t n = evaluation_policy_refs(json, refs);
	for (size_t i = 0; i < n; i++) {
		const struct policy *p;
		if (!work_ok(rq, db, policy_cache_get(db, refs[i], &p)))
			return false;
	}
	return true;
}

static const struct policy *find_policy(void *arg, const char *ref)
{
	(void)arg;
	return policy_cache_peek(ref);
}

/* The answer's bytes. False: a problem is staged. */
static bool answer(struct request *rq, json_t *json, struct buf *out)
{
	const struct policy_source source = {.find = find_policy};
	const struct evaluating how = {.source = &source, .as_document = request_query(rq, "form") != NULL};
	FAULTS_HERE(f);
	bool ok = evaluation_answer(json, &how, out, &f);
	if (!ok && faults_any(&f))
		reply_faults(rq, &f);
	else if (!ok)
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	return ok;
}

static void reply_keyed(struct worker *w, struct request *rq, const struct buf *body, struct buf *out)
{
	char sha256[SHA256_HEX];
	struct keyed k;
	sha256_hex(body->data, body->len, sha256);
	if (keyed_begin_hashed(&k, w, rq, sha256)) {
		keyed_answer(&k, 200, out, NULL);
		keyed_end(&k);
	}
}

static void evaluate_body(struct worker *w, struct request *rq)
{
	struct buf body = BUF_INIT(request_operation(rq)->body_max + READ_BYTES), out = BUF_INIT(VERDICT_BYTES_MAX);
	json_t *json = NULL;
	if (read_body(rq, &body) && parse(rq, &body, &json) && fetch_policies(worker_db(w), rq, json) && answer(rq, json, &out)) {
		if (request_idempotency_key(rq))
			reply_keyed(w, rq, &body, &out);
		else
			reply_json(rq, 200, &out);
	}
	json_decref(json);
	buf_free(&body);
	buf_free(&out);
}

void handle_evaluate(struct request *rq)
{
	static const char *const forms[] = {"document", NULL};
	const char *form = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "form", forms, &form, &f);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else
		request_work(rq, evaluate_body);
}
