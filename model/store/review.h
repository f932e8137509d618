/* What today's facts would make of a decision: its period evaluated again as of the decision's own day, under its own policies, and
 * for what the provider was approved for then. The facts alone are today's. */
#ifndef ASSAY_MODEL_STORE_REVIEW_H
#define ASSAY_MODEL_STORE_REVIEW_H

#include "model/store/verdict.h"
#include "server/db.h"

enum { REVIEW_DECISIONS_MAX = 50 };

struct reviewed {
	bool readable; /* false: it could not be judged (the log says why), and nothing below says anything */
	bool was_met, met; /* by the decision, by today's facts */
	bool differs; /* what it says of the period, its measures or its stores is another */
	bool scope_changed; /* what the provider is approved for now is not what the decision was made for */
	struct buf changes; /* the measures that differ: [{"policy","measure","before","after"}] */
	char evaluation_sha256[SHA256_HEX]; /* of what today's facts come to */
	day decided_on; /* today: what the verdict's document says */
	struct verdict verdict; /* the decision that they would give; empty unless it was asked for */
};

/* `count` of them at most REVIEW_DECISIONS_MAX; out[] has as many, each to be freed whatever is returned. Inside a REPEATABLE READ
 * transaction. A decision that does not exist is not readable. */
enum db_status review(struct db *db, const char *const *decision_ids, size_t count, bool with_verdict, struct reviewed *out)
        __attribute__((warn_unused_result));
void reviewed_free(struct reviewed *r);

/* Every decision that an import marked since it was last looked at, in chunks. Leaves off between chunks when `stopping` says so. */
enum db_status review_marked_decisions(struct db *db, bool (*stopping)(void *arg), void *arg)
        __attribute__((warn_unused_result));

#endif
