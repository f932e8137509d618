/* Writes that are decided on facts: read, evaluated and written in one transaction, during which no import is merged, with the
 * idempotency key, the audit entry and the event.
 *
 *   static enum db_status body(struct db *db, void *arg)  arg is the struct decided; inside REPEATABLE READ, and may run again
 *   decide_on_facts(w, rq, body);                         replies */
#ifndef ASSAY_HANDLERS_DECIDED_H
#define ASSAY_HANDLERS_DECIDED_H

#include "handlers/keyed.h"

struct decided {
	struct keyed *keyed;
	bool missing; /* set by the body: there is nothing to decide on, 404 */
	PGresult *written; /* set by the body: what keyed_call() answered */
};

void decide_on_facts(struct worker *w, struct request *rq, enum db_status (*body)(struct db *db, void *arg));

/* A refusal, kept under the key. Takes `args`, and `extra`: the text of an object whose members go into the problem as they are. */
enum db_status decided_refuse(struct decided *d, enum code code, json_t *args, json_t *extra)
        __attribute__((warn_unused_result));

#endif
