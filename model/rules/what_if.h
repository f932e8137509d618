/* Facts of a period with some of them changed inline: an evaluation's input as it is, and a caller's changes to it, to the input as it
 * would be.
 *
 *   exam_passes   [{"person_id","passed_on"}]: added
 *   stores        [{"store_id", ...}]: of a store that is there, what is given takes the place of what is: each attribute, all of the
 *                 provider's own `bindings` together ([{"bound_on","unbound_on"}]), and of its `days` those that are given. A store that is
 *                 not there is added, and must be whole. */
#ifndef ASSAY_MODEL_RULES_WHAT_IF_H
#define ASSAY_MODEL_RULES_WHAT_IF_H

#include "base/faults.h"
#include "model/rules/evaluation_json.h"

struct what_if; /* an input, and the memory behind it */

struct what_if_changes {
	const json_t *stores; /* arrays, or NULL */
	const json_t *exam_passes;
	const struct policy *policy; /* judges in place of the input's policies; NULL: they do. Of the same number of months */
};

/* `in` must outlive it, and have day facts alone (no months' totals). NULL when a fault was added, at pointers into the body that
 * has /stores and /exam_passes - or, with none, when out of memory. The caller frees. */
struct what_if *what_if_read(const struct evaluation_input *in, const struct what_if_changes *changes, struct faults *faults)
        __attribute__((warn_unused_result));
void what_if_free(struct what_if *w); /* NULL is fine */
const struct evaluation_input *what_if_input(const struct what_if *w);

#endif
