/* A policy with some of its values changed inline, to see what would come of it. */
#ifndef ASSAY_MODEL_RULES_POLICY_CHANGE_H
#define ASSAY_MODEL_RULES_POLICY_CHANGE_H

#include "base/faults.h"
#include "model/rules/policy.h"

#include <jansson.h>

enum { POLICY_CHANGES_MAX = 100 };

/* `base` with each of `changes` made, in order: an array of {"pointer", "value"}, where a pointer (RFC 6901) is into the canonical
 * form. What is there is replaced; a member that an object does not have is set. NULL when a fault was added, at pointers below
 * `pointer` (that of `changes`) - or, with no fault, when out of memory. The caller frees. */
struct policy *policy_changed(const struct policy *base, const json_t *changes, const char *pointer, struct faults *faults)
        __attribute__((warn_unused_result));

#endif
