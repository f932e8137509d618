/* Which criteria make the difference when a period is judged under two policies. */
#ifndef ASSAY_MODEL_RULES_CRITERION_TURN_H
#define ASSAY_MODEL_RULES_CRITERION_TURN_H

#include "base/json_write.h"
#include "model/rules/evaluation.h"

/* What is missing under one policy, and whether it stands otherwise under the other. */
struct turns {
	struct criterion_gap gaps[REQUIREMENT_NODES];
	bool turned[REQUIREMENT_NODES];
	size_t count;
	bool known; /* `turned` says something */
};

/* True when the criterion that `gap` is about (by its measure and alternative) is met in `other`, or not asked for there. */
bool criterion_turned(const struct criterion_gap *gap, enum stage stage, const struct policy_result *other);

/* Writes [{"measure","clause","alternative","at_least","gap","month","turned"}]. When none turned, it is the tree's shape that
 * made the difference, and all of them did. */
void turns_write(struct json_writer *w, const struct turns *t);

#endif
