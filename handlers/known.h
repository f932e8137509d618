/* ?known_at=INSTANT: what a read answered at that instant. The read itself is the one of now; only its connection looks back
 * (see migrations/functions/250-known-at.sql). On a worker. */
#ifndef ASSAY_HANDLERS_KNOWN_H
#define ASSAY_HANDLERS_KNOWN_H

#include "handlers/work.h"

/* Whether an instant was asked for; one that is malformed is a fault. */
bool known_at_asked(const struct request *rq, struct faults *f);

/* Runs a worker's part of a read, which stages a reply, on a connection that looks back to the instant that was asked for. An
 * instant of which nothing can be said is refused. */
void known_read(struct worker *w, struct request *rq, void (*read)(struct worker *w, struct request *rq));

/* A resource's bytes, a JSON object, with the instant added when one was asked for. */
void known_reply(struct request *rq, const char *body);

#endif
