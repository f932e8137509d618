/* POSTs that a worker answers: the idempotency key is held while the work goes on (the same key elsewhere is
 * idempotency_in_flight), an earlier answer under it is given again, and the new one commits with the work's last effect.
 *
 *   struct keyed k;
 *   if (!keyed_begin(&k, w, rq)) return;           a reply is staged
 *   ...                                            exactly one of keyed_write(), keyed_answer() or a reply of one's own
 *   keyed_end(&k); */
#ifndef ASSAY_HANDLERS_KEYED_H
#define ASSAY_HANDLERS_KEYED_H

#include "handlers/work.h"

struct keyed {
	struct db *db;
	struct request *rq;
	char *context; /* of api_write(), as text; owned */
	bool taken;
};

bool keyed_begin(struct keyed *k, struct worker *w, struct request *rq);
/* For a body that was streamed: its hash takes part in what "the same request" means. */
bool keyed_begin_hashed(struct keyed *k, struct worker *w, struct request *rq, const char *body_sha256);
void keyed_end(struct keyed *k);

/* The same in steps, for a body that is worked on while it arrives, so that its hash is known last: hold the key; when it was
 * answered before, read the body whole and replay; else work. False: a reply is staged. End with keyed_end() in any case. */
bool keyed_hold(struct keyed *k, struct worker *w, struct request *rq);
bool keyed_answered(struct keyed *k, bool *answered); /* before or after the body's hash is known */
bool keyed_add_body(struct keyed *k, const char *body_sha256); /* stages no reply; false: out of memory */
void keyed_replay(struct keyed *k); /* with the body's hash: the answer given before, or idempotency_key_reused */

/* api_write() inside whatever transaction is open on the worker's connection. *out is one row of API_WRITE_COLUMNS, to be
 * PQcleared; reply with keyed_reply() once it is committed. Takes `args`. */
enum db_status keyed_call(struct keyed *k, const char *op, json_t *args, PGresult **out) __attribute__((warn_unused_result));
void keyed_reply(struct keyed *k, const PGresult *written);

/* The call in a transaction of its own, and the reply. True when it was not refused. */
bool keyed_write(struct keyed *k, const char *op, json_t *args);

/* An answer that changed nothing. Takes the bytes. Kept under the key when there is one. */
void keyed_answer(struct keyed *k, int status, struct buf *body, const char *etag);

#endif
