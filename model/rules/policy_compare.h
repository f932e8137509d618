/* What is different between two versions of a policy, for people: each difference by its pointer, what it was and is, and one
 * sentence about it. The versions' own names are not compared. */
#ifndef ASSAY_MODEL_RULES_POLICY_COMPARE_H
#define ASSAY_MODEL_RULES_POLICY_COMPARE_H

#include "base/buf.h"
#include "base/faults.h"
#include "model/rules/policy.h"

#include <stddef.h>

/* Appends [{"pointer","change","from","to","detail"}] in the order of the policy's members; returns how many there are.
 * `change` is changed, added, removed or reordered. A pointer is into `to`; of what was removed, into `from`. Members of a group
 * are paired by what they are (a criterion by its measure, a group by its name), wherever they stand. */
size_t policy_compare(struct buf *out, const struct policy *from, const struct policy *to, enum lang lang);

#endif
