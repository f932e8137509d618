/* What is not wrong with a policy, and still should be seen before it is published. */
#ifndef ASSAY_MODEL_RULES_POLICY_WARNINGS_H
#define ASSAY_MODEL_RULES_POLICY_WARNINGS_H

#include "base/faults.h"
#include "model/rules/policy.h"

/* Adds each as a fault, in the order of the policy's members. `before` is the version in force on the day before this one takes
 * effect, or NULL. */
void policy_warnings(const struct policy *p, const struct policy *before, day today, struct faults *warnings);

#endif
