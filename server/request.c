/* A request's memory, what it was asked, and how its phases submit. */
#include "server/request_internal.h"

#include "base/json_read.h"
#include "base/json_write.h"
#include "server/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	BLOCK_BYTES = 16 * 1024,
	CONTEXT_BYTES_MAX = 256 * 1024 /* more than what a request's head may be, quoted */
};

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

/* ---- life ---- */

struct request *request_new(struct loop *loop, const char *uri)
{
	struct request *rq = malloc(sizeof *rq);
	if (!rq)
		return NULL;
	memset(rq, 0, offsetof(struct request, first));
	rq->loop = loop;
	rq->began_us = now_us();
	request_work_init(rq);
	rq->uri = request_copy(rq, uri, strlen(uri));
	rq->id = rq->path = rq->method = "";
	return rq;
}

void request_free(struct request *rq)
{
	assert(!rq->op_pending && !rq->in_worker);
	position_lost(rq); /* of what was written and not answered */
	while (rq->on_end_len)
		rq->on_end_len--, rq->on_end[rq->on_end_len].fn(rq->on_end[rq->on_end_len].arg);
	json_decref(rq->json);
	json_decref(rq->write_args);
	buf_free(&rq->body);
	upload_free(rq->upload);
	while (rq->arena) {
		struct arena_block *next = rq->arena->next;
		free(rq->arena);
		rq->arena = next;
	}
	free(rq);
}

/* Memory for one request is bounded by what its body and its answer may be: past that, or with none left, is not survivable
 * for the request, and aborting is honest for the process. */
void *request_alloc(struct request *rq, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (size <= ARENA_FIRST - rq->first_used) {
		void *p = rq->first + rq->first_used;
		rq->first_used += size;
		return memset(p, 0, size);
	}
	struct arena_block *block = rq->arena;
	if (!block || block->size - block->used < size) {
		size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
		block = calloc(1, sizeof *block + room);
		if (!block || (rq->arena_total += room) > ARENA_MAX)
			abort();
		block->size = room;
		block->next = rq->arena;
		rq->arena = block;
	}
	void *p = block->bytes + block->used;
	block->used += size;
	return p;
}

char *request_copy(struct request *rq, const char *text, size_t len)
{
	char *copy = request_alloc(rq, len + 1);
	memcpy(copy, text, len);
	return copy;
}

char *request_printf(struct request *rq, const char *fmt, ...)
{
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	char *text = request_alloc(rq, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(args);
	return text;
}

void request_on_end(struct request *rq, void (*fn)(void *), void *arg)
{
	assert(rq->on_end_len < ON_END_MAX);
	rq->on_end[rq->on_end_len].fn = fn;
	rq->on_end[rq->on_end_len].arg = arg;
	rq->on_end_len++;
}

/* ---- what came in ---- */

const struct operation *request_operation(const struct request *rq) { return rq->operation; }
const struct caller *request_caller(const struct request *rq) { return &rq->caller; }
const char *request_id(const struct request *rq) { return rq->id; }
enum lang request_lang(const struct request *rq) { return rq->lang; }
const char *request_path(const struct request *rq) { return rq->path; }
json_t *request_body(const struct request *rq) { return rq->json; }
bool request_dry_run(const struct request *rq) { return rq->dry_run; }
void request_set_state(struct request *rq, void *state) { rq->state = state; }
void *request_state(const struct request *rq) { return rq->state; }
const char *request_idempotency_key(const struct request *rq) { return rq->idempotency_key; }

const char *request_param(const struct request *rq, const char *name)
{
	for (int i = 0; i < rq->params_len; i++)
		if (strcmp(rq->params[i].name, name) == 0)
			return rq->params[i].value;
	assert(!"the path template has no such placeholder");
	return "";
}

bool request_may_see(const struct request *rq, const char *provider_id)
{
	const char *own = rq->caller.provider_id; /* a partner whose key has no provider yet sees none */
	return rq->caller.role != ROLE_PARTNER || (own && provider_id && strcmp(own, provider_id) == 0);
}

/* ---- the first phase ---- */

static bool parse_body(struct request *rq)
{
	struct faults faults = {0};
	size_t len = rq->body.len;
	const char *data = len ? rq->body.data : "";
	if (!len && rq->operation->body_optional) {
		data = "{}";
		len = 2;
	}
	enum json_verdict verdict = json_read(data, len, JSON_DEPTH_MAX, &rq->json, &faults);
	if (verdict == JSON_MALFORMED && faults.len) {
		const struct fault *f = &faults.items[0];
		const char *const args[] = {f->args[0], f->args[1], f->args[2]};
		reply_problem(rq, CODE_INVALID_JSON, args, 3);
	} else if (verdict == JSON_NO_MEMORY) {
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	} else if (verdict != JSON_OK) {
		reply_faults(rq, &faults);
	}
	faults_free(&faults);
	return verdict == JSON_OK;
}

void request_run_handler(struct request *rq)
{
	if (rq->operation->body == BODY_JSON && !rq->json && !parse_body(rq))
		return;
	rq->operation->handle(rq);
}

/* ---- submit: statements ---- */

static bool abandoned(struct request *rq)
{
	rq->op_pending = false;
	if (rq->conn && !rq->reply.staged)
		return false;
	if (!rq->conn && !rq->in_worker)
		request_free(rq);
	return true; /* its caller has gone, or was answered when its time was up */
}

static void problem_of_end(struct request *rq, enum op_end end)
{
	switch (end) {
	case OP_UNAVAILABLE:
		reply_problem(rq, CODE_DATABASE_UNAVAILABLE, NULL, 0);
		break;
	case OP_OVERLOADED:
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
		break;
	default:
		reply_problem(rq, CODE_INTERNAL, NULL, 0);
	}
}

static void submit(struct request *rq, const struct statement *st, bool write, void (*done)(struct lane_op *, enum op_end, const struct rows *));
static void read_done(struct lane_op *op, enum op_end end, const struct rows *rows)
{
	struct request *rq = (struct request *)op;
	if (abandoned(rq))
		return;
	if (replica_failed(rq, end, rows))
		submit(rq, op->st, op->st->slow, read_done);
	else if (end == OP_OK)
		rq->then(rq, rows);
	else
		problem_of_end(rq, end);
}

static void submit(struct request *rq, const struct statement *st, bool write, void (*done)(struct lane_op *, enum op_end, const struct rows *))
{
	assert(!rq->op_pending && !rq->in_worker && !rq->reply.staged);
	rq->op.st = st;
	rq->op.params = rq->params_of_op;
	rq->op.done = done;
	bool taken = done == read_done && replica_takes(rq);
	enum op_end end = taken ? OP_OK : write ? write_lanes_submit(loop_writes(rq->loop), &rq->op) : read_lane_submit(loop_reads(rq->loop), &rq->op);
	if (end == OP_OK) {
		rq->op_pending = true;
		rq->op_since_ms = now_ms();
	} else {
		problem_of_end(rq, end);
	}
}

void request_read(struct request *rq, const struct statement *st, const char *const *params, rows_fn then)
{
	assert(st->params <= STATEMENT_PARAMS_MAX && !st->by_keys);
	for (int i = 0; i < st->params; i++)
		rq->params_of_op[i] = params[i] ? request_copy(rq, params[i], strlen(params[i])) : NULL;
	rq->then = then;
	rq->op.batch = NULL;
	rq->op.make_params = NULL; /* of a write before it */
	submit(rq, st, st->slow, read_done);
}

void request_read_key(struct request *rq, const struct statement *st, const char *key, rows_fn then)
{
	assert(st->by_keys);
	rq->params_of_op[0] = key;
	rq->then = then;
	submit(rq, st, false, read_done);
}

/* ---- submit: api_write() ---- */

static const struct statement API_WRITE = {
        .name = "api_write",
        .sql = "select " API_WRITE_COLUMNS " from api_write($2, $1, $3)",
        .params = 3,
};

static const char *lang_name(enum lang lang) { return lang == LANG_ZH ? "zh" : "en"; }

static void request_hash(const struct request *rq, char hex[SHA256_HEX])
{
	unsigned char hash[SHA256_BYTES];
	struct sha256 *h = sha256_new();
	if (!h)
		abort();
	sha256_add(h, rq->method, strlen(rq->method));
	sha256_add(h, "\n", 1);
	sha256_add(h, rq->uri, strlen(rq->uri));
	sha256_add(h, "\n", 1);
	sha256_add(h, rq->body.data, rq->body.len);
	sha256_end(h, hash);
	hex_of(hash, sizeof hash, hex);
}

/* Who asks for what: what every function that writes is given. */
static void put_context(const struct request *rq, struct buf *out)
{
	static const char *const roles[] = {[ROLE_ADMIN] = "admin", [ROLE_OPERATOR] = "operator", [ROLE_FEED] = "feed",
	                                    [ROLE_PARTNER] = "partner", [ROLE_AUDITOR] = "auditor"};
	char hash[SHA256_HEX];
	struct json_writer w = json_writer_on(out);
	request_hash(rq, hash);
	jw_object(&w);
	jw_kstring(&w, "request_id", rq->id);
	jw_kstring(&w, "key_id", rq->caller.key_id);
	jw_kstring(&w, "actor_id", rq->caller.actor_id);
	jw_kstring(&w, "key_name", rq->caller.name);
	jw_kstring(&w, "role", roles[rq->caller.role]);
	jw_kstring(&w, "provider_id", rq->caller.provider_id);
	jw_kstring(&w, "idempotency_key", rq->idempotency_key);
	jw_kstring(&w, "request_sha256", hash);
	jw_kstring(&w, "method", rq->method);
	jw_kstring(&w, "path", rq->path);
	jw_kbool(&w, "dry_run", rq->dry_run);
	jw_kstring(&w, "lang", lang_name(rq->lang));
	jw_object_end(&w);
	if (out->failed)
		abort();
}

json_t *request_context(const struct request *rq)
{
	struct buf text = BUF_INIT(CONTEXT_BYTES_MAX);
	put_context(rq, &text);
	json_t *context = json_loadb(text.data, text.len, 0, NULL);
	buf_free(&text);
	return context;
}

static void make_write_params(struct lane_op *op)
{
	struct request *rq = (struct request *)op;
	struct buf context = BUF_INIT(CONTEXT_BYTES_MAX);
	put_context(rq, &context);
	char *args = json_dumps(rq->write_args, JSON_COMPACT);
	if (!args)
		abort();
	rq->params_of_op[0] = rq->write_op;
	rq->params_of_op[1] = request_copy(rq, context.data, context.len);
	rq->params_of_op[2] = request_copy(rq, args, strlen(args));
	buf_free(&context);
	free(args);
}

static void written(struct lane_op *op, enum op_end end, const struct rows *rows)
{
	struct request *rq = (struct request *)op;
	if (abandoned(rq))
		return;
	if (end != OP_OK) {
		problem_of_end(rq, end);
		return;
	}
	const char *code = rows_text(rows, 0, 1);
	if (!code || strcmp(code, "again") != 0)
		reply_written(rq, rows);
	else if (++rq->again < AGAIN_MAX)
		rq->operation->handle(rq); /* what it decided on has changed: decide anew */
	else
		reply_problem(rq, CODE_CONFLICT, NULL, 0);
}

static void submit_write(struct request *rq, const char *op, json_t *args)
{
	json_decref(rq->write_args);
	rq->wrote = true;
	rq->write_op = op;
	rq->write_args = args;
	rq->op.make_params = make_write_params;
	submit(rq, &API_WRITE, true, written);
}

void request_write(struct request *rq, const char *op, json_t *args)
{
	rq->op.batch = NULL;
	submit_write(rq, op, args);
}

static const char *request_hash_text(struct request *rq)
{
	char hash[SHA256_HEX];
	request_hash(rq, hash);
	return request_copy(rq, hash, strlen(hash));
}

void request_write_together(struct request *rq, const char *op, json_t *args, const struct statement *batch,
                            const char *const *columns)
{
	const char *const context[CONTEXT_COLUMNS] = {rq->id,
	                                              rq->caller.key_id,
	                                              rq->caller.name,
	                                              rq->caller.actor_id,
	                                              rq->idempotency_key,
	                                              request_hash_text(rq),
	                                              lang_name(rq->lang)};
	memcpy(rq->params_of_batch, context, sizeof context);
	memcpy(rq->params_of_batch + CONTEXT_COLUMNS, columns, (size_t)(batch->params - CONTEXT_COLUMNS) * sizeof *columns);
	rq->op.batch = rq->dry_run ? NULL : batch; /* what is undone afterwards goes by itself */
	rq->op.batch_params = rq->params_of_batch;
	submit_write(rq, op, args);
}

void request_refuse(struct request *rq, enum code code, const char *const *args, size_t nargs, json_t *extra)
{
	json_t *list = json_array();
	for (size_t i = 0; i < nargs; i++)
		json_array_append_new(list, json_string(args[i]));
	char *text = extra ? json_dumps(extra, JSON_COMPACT) : NULL; /* as text: the members keep their order in the database */
	json_t *all = json_pack("{s:s, s:o, s:s*}", "code", code_name(code), "args", list, "extra", text);
	free(text);
	json_decref(extra);
	request_write(rq, "refuse", all);
}
