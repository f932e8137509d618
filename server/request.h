/* A request, as handlers see it.
 *
 * A handler is a few short functions, one a phase: the first checks the input and submits a statement (or work) with the
 * function that goes on when its result is there; the last one replies. A phase never blocks. After it submitted or replied
 * it returns at once and touches the request no more. Exactly one submit or reply a phase.
 *
 * What fails below (database gone, queue full, deadline passed, a conflict that outlasted its retries) is answered here, by
 * the one table in server/problem.c: a continuation is called only with a result.
 *
 * Memory: everything handed out below lives as long as the request; request_alloc() gives more of the kind. */
#ifndef ASSAY_SERVER_REQUEST_H
#define ASSAY_SERVER_REQUEST_H

#include "base/faults.h"
#include "base/sha256.h"
#include "server/statement.h"

#include <jansson.h>
#include <stdint.h>

struct request;
struct worker;
struct upload;

enum role { ROLE_ADMIN = 1, ROLE_OPERATOR = 2, ROLE_FEED = 4, ROLE_PARTNER = 8, ROLE_AUDITOR = 16 };
enum { ROLES_PUBLIC = 0 }; /* no key needed */

enum body_kind {
	BODY_NONE,  /* a body that is sent all the same is refused */
	BODY_JSON,  /* read whole, parsed strictly; an absent body reads as {} when `body_optional` */
	BODY_STREAM /* handed over piece by piece to a worker: see server/upload.h */
};

typedef void (*phase_fn)(struct request *rq);
typedef void (*rows_fn)(struct request *rq, const struct rows *rows);

/* One row of the route table (handlers/routes.c). */
struct operation {
	const char *id; /* operationId in openapi.yaml; also the label in logs and metrics */
	const char *method;
	const char *path;  /* "/v1/providers/{id}/applications" */
	unsigned roles;    /* who may; ROLES_PUBLIC: anyone. admin always may */
	enum body_kind body;
	phase_fn handle;
	bool etag_of_body; /* its answer's ETag is made of the bytes: for what has no version of its own */
	bool json_stream;  /* a BODY_STREAM that is JSON: its Content-Type is checked like that of BODY_JSON */
	size_t body_max;   /* bytes; 0: the default, 64 KiB */
	bool body_optional;
	bool from_primary; /* a read that must be exact, about money or access: never from a replica */
	bool key_required; /* moves money: 400 without an Idempotency-Key */
	const char *query; /* names of the query parameters it knows, separated by blanks; any other is refused */
};

struct caller {
	const char *key_id;   /* or jwt:<issuer>:<subject> */
	const char *actor_id; /* the same for a key and the successor that it was rotated to */
	const char *name;
	enum role role;
	const char *provider_id; /* whose partner this is; NULL for every other role */
};

/* ---- what came in ---- */
const struct operation *request_operation(const struct request *rq);
const struct caller *request_caller(const struct request *rq);
const char *request_id(const struct request *rq);
enum lang request_lang(const struct request *rq);
const char *request_path(const struct request *rq);              /* as sent, without the query */
const char *request_param(const struct request *rq, const char *name); /* from the path; never NULL for a name in the template */
const char *request_query(const struct request *rq, const char *name); /* percent-decoded; NULL when absent */
const char *request_header(const struct request *rq, const char *name);
json_t *request_body(const struct request *rq);                  /* borrowed; the parsed body of BODY_JSON */
bool request_dry_run(const struct request *rq);                  /* ?dry_run=true, known to every POST */
/* The hash by which the service knows an API key. */
void request_key_hash(const struct request *rq, const char *key, char hex[SHA256_HEX]);
/* False for a partner's key on another provider's things: answer 404. */
bool request_may_see(const struct request *rq, const char *provider_id);

/* ---- query parameters, strictly; each adds a fault at the parameter's name ---- */
bool request_query_day(struct request *rq, const char *name, int32_t *out, struct faults *f); /* false when absent or bad */
bool request_query_word(struct request *rq, const char *name, const char *const *words, const char **out, struct faults *f);

/* ---- memory ---- */
void *request_alloc(struct request *rq, size_t size) __attribute__((malloc)); /* zeroed; freed with the request; never NULL */
char *request_printf(struct request *rq, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void request_set_state(struct request *rq, void *state); /* what the phases of one request share; from request_alloc() */
void *request_state(const struct request *rq);
void request_on_end(struct request *rq, void (*fn)(void *), void *arg); /* e.g. to free what is not from request_alloc() */

/* ---- submit: the read lane ---- */
void request_read(struct request *rq, const struct statement *st, const char *const *params, rows_fn then);
/* One row by key, of a statement that is `by_keys`. `then` gets one row, or none. */
void request_read_key(struct request *rq, const struct statement *st, const char *key, rows_fn then);

/* ---- submit: the write lanes ---- */
/* Runs the SQL function op_<name>(ctx, args) inside api_write(): idempotency key, effect, audit entry and event commit as
 * one, or not at all; then replies with its answer. Takes over `args`. When it answers `again` (what the phases before
 * decided on has changed meanwhile), the handler runs once more from its first phase, a bounded number of times. */
void request_write(struct request *rq, const char *op, json_t *args);
/* The same for one of many that may come at once: `batch` does those of several that nothing stands in the way of as op_<name>()
 * would, and answers API_WRITE_COLUMNS and whether it was done. It takes arrays: of request id, key id, key name, actor,
 * idempotency key, request's SHA-256 and language, and then of the members of `args` that `columns` are, as text (kept until the
 * answer; NULL: not there). See server/lane.h. */
enum { CONTEXT_COLUMNS = 7 };
void request_write_together(struct request *rq, const char *op, json_t *args, const struct statement *batch, const char *const *columns);
/* For a worker that runs api_write() inside a transaction of its own: the context to give it (new reference), and the reply
 * from its row, selected with API_WRITE_COLUMNS. */
json_t *request_context(const struct request *rq);
#define API_WRITE_COLUMNS "status, code, array_to_json(args), errors, extra, body, etag, location, replayed, request_id, lang"
void reply_written(struct request *rq, const struct rows *rows);
const char *request_idempotency_key(const struct request *rq); /* NULL when none was sent */
/* A refusal that a phase decided on its own (not by api_write): kept under the idempotency key, so that a retry gets it again.
 * `extra` (taken; may be NULL): members added to the problem. */
void request_refuse(struct request *rq, enum code code, const char *const *args, size_t nargs, json_t *extra);

/* ---- submit: the workers ---- */
/* Runs `work` on a worker thread. The request belongs to the worker until it returns: it may use worker_db() and must stage
 * exactly one reply, with the functions below. */
void request_work(struct request *rq, void (*work)(struct worker *w, struct request *rq));


/* ---- reply (from the loop, or staged by a worker) ---- */
void reply_json(struct request *rq, int status, struct buf *body);           /* takes the bytes */
void reply_json_text(struct request *rq, int status, const char *body, size_t len); /* copies */
void reply_bytes(struct request *rq, int status, const char *content_type, const void *bytes, size_t len, bool is_static);
void reply_header(struct request *rq, const char *name, const char *value);  /* before the reply itself; copied */
void reply_etag(struct request *rq, const char *etag);                       /* unquoted; also answers If-None-Match with 304 */
void reply_problem(struct request *rq, enum code code, const char *const *args, size_t nargs);
void reply_problem_with(struct request *rq, enum code code, const char *const *args, size_t nargs, const struct faults *errors,
                        json_t *extra /* taken; may be NULL */);
void reply_faults(struct request *rq, const struct faults *f); /* 422 invalid_request with every one */
void reply_not_found(struct request *rq);

/* ---- lists ---- */
struct page {
	int limit;          /* 1..200, 50 */
	const char *after;  /* what the cursor holds, or NULL on the first page */
	const char *known_at; /* the instant that was asked for, which the answer repeats, or NULL */
};
bool request_page(struct request *rq, struct page *page, struct faults *f);
/* Replies {"data":[...],"next_cursor":...}. The statement selected limit+1 rows: column 0 the cursor's text, column 1 the item. */
void reply_page(struct request *rq, const struct page *page, const struct rows *rows);

#endif
