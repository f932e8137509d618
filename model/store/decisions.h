/* Decisions, once made: read, found, and replayed. */
#ifndef ASSAY_MODEL_STORE_DECISIONS_H
#define ASSAY_MODEL_STORE_DECISIONS_H

#include "base/buf.h"
#include "base/sha256.h"
#include "server/db.h"

/* $1 id: provider_id, body, etag */
extern const struct statement DECISION_BY_ID;
/* $1 id: provider_id, the document (of one made before documents stood alone: its evidence), sha256 of that */
extern const struct statement DECISION_EVIDENCE;
/* $1 id: provider_id, what is evaluated (as in DECISION_EVIDENCE), document, sha256 of the document */
extern const struct statement DECISION_REPLAY;

/* Lists, newest first: id, summary. All: $1 after, $2 limit+1, $3 outcome; the others $4 provider, or $4 period and $5 provider
 * (NULL: any). Filters may be NULL where not said otherwise. */
extern const struct statement DECISION_LIST;
extern const struct statement DECISION_LIST_OF_PROVIDER;
extern const struct statement DECISION_LIST_OF_PERIOD;
extern const struct statement DECISION_LIST_STALE; /* those that today's facts may differ from; $4 provider, $5 period */

struct replay {
	bool met;
	bool identical;          /* the document is the decision's, byte for byte */
	struct buf document;     /* what it evaluates to now */
	char sha256[SHA256_HEX]; /* of it */
};

/* Evaluates again what a decision has: its document, or the evidence of one made before documents stood alone. False when it
 * cannot be read any more; `out` is to be freed either way. */
bool replay_decision(const char *evidence, size_t len, const char *document, struct replay *out) __attribute__((warn_unused_result));
void replay_free(struct replay *r);

#endif
