/* How long a decision can be argued about: an optional part of a policy. What is not set is not written either, so that a policy from
 * before this part was known keeps its bytes.
 *
 *   decisions.reopen_days          figures that arrive so many days after the period's end, at most, re-open it; absent: for ever; 0..3660
 *   decisions.appeal_days          for how many days after the decision it can be appealed against; absent: for ever; 0..3660
 *   decisions.appeal_answer_days   within how many days an appeal is to be answered; absent: no such day; 0..3660 */
#ifndef ASSAY_MODEL_RULES_DECISIONS_POLICY_H
#define ASSAY_MODEL_RULES_DECISIONS_POLICY_H

#include "base/faults.h"
#include "base/json_write.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct days_limit {
	bool configured;
	int32_t days; /* 0 when not configured */
};

struct decisions_policy {
	struct days_limit reopen, appeal, appeal_answer;
};

/* `json` NULL: absent. False when a fault was added, at a pointer below `pointer`. */
bool decisions_policy_read(const json_t *json, const char *pointer, struct decisions_policy *out, struct faults *faults)
        __attribute__((warn_unused_result));
/* The member "decisions", or nothing. */
void decisions_policy_write(struct json_writer *w, const struct decisions_policy *d);

#endif
