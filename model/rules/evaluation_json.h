/* The evaluation's JSON: the contract's request in, the contract's answer out, and the evidence of a decision, which is a
 * request with every policy whole (a decision's document has it inside: document.h). All that is written is canonical: compact, one member order, so that the same facts and
 * policies give the same bytes.
 *
 * The request, beyond the contract's example:
 *   exam_passes               may be absent: none
 *   stores[].unlisted         true: no attributes were in force on the evaluation day; then registered_region,
 *                             ship_from_regions, industry, category and status must be absent
 *   stores[].bindings[].unbound_on   null or absent: still bound
 *   stores[].days             may be absent: none. A day without figures counts as zero
 *   stores[].months           [{"month": "2023-04", "orders", "gmv_fen"}]: whole months' totals in place of days, allowed
 *                             where month_may_stand_for_days(); may be absent
 *   policies                  1..EVALUATION_POLICIES of "id@version" or whole policies, no version twice
 * Day facts, bindings, passes and months outside the period are allowed and do not count. Refused: a store_id twice, a day or
 * month twice for a store, own bindings that overlap, an unbound_on before its bound_on, as_of before period_start. */
#ifndef ASSAY_MODEL_RULES_EVALUATION_JSON_H
#define ASSAY_MODEL_RULES_EVALUATION_JSON_H

#include "base/buf.h"
#include "base/faults.h"
#include "base/json_write.h"
#include "model/rules/evaluation.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { EVALUATION_POLICIES = 16 };

/* Who knows the published policies. find() returns one that outlives the request, or NULL: fault unknown_policy. */
struct policy_source {
	const struct policy *(*find)(void *arg, const char *ref);
	void *arg;
};

/* The references ("id@version") in a request that nobody has checked yet, so that they can be fetched first. Borrowed from
 * `json`; returns how many were put into refs[EVALUATION_POLICIES]. */
size_t evaluation_policy_refs(const json_t *json, const char *refs[EVALUATION_POLICIES]);

struct evaluation_request; /* an input, and the memory behind it */

/* Reads a whole request; keeps a reference to `json`. `source` may be NULL: references are then unknown. NULL when a fault
 * was added - or, with no fault, when out of memory. The caller frees; policies found by `source` stay the source's. */
struct evaluation_request *evaluation_request_read(json_t *json, const struct policy_source *source, struct faults *faults)
        __attribute__((warn_unused_result));
void evaluation_request_free(struct evaluation_request *r); /* NULL is fine */
const struct evaluation_input *evaluation_request_input(const struct evaluation_request *r);

/* evaluate(), with what can still go wrong as faults. False: a fault was added, or, with none, out of memory. */
bool evaluation_run(const struct evaluation_input *in, struct evaluation *out, struct faults *faults)
        __attribute__((warn_unused_result));

/* Appends the answer: {"outcome","final",...,"policies":[...]}. Without `stores` for live progress. An entry of a policy
 * that is an example has "example":true after "policy". `in` is the input it was made from. */
enum evaluation_form { EVALUATION_WHOLE, EVALUATION_WITHOUT_STORES };
void evaluation_json(struct buf *out, const struct evaluation_input *in, const struct evaluation *e, enum evaluation_form form);

/* The same members onto an object that is open. */
void evaluation_members(struct json_writer *w, const struct evaluation_input *in, const struct evaluation *e,
                        enum evaluation_form form);

/* Appends the evidence: a request that gives, read again, byte for byte the same answer and the same evidence. */
void evidence_json(struct buf *out, const struct evaluation_input *in);

/* What is still missing: of several policies the one with the fewest gaps (the first of them). Returns how many; 0 when the
 * period is met. From an evaluation, or from an answer that was written before (its strings are then borrowed from `json`;
 * anything that is no such answer has no gaps). */
size_t evaluation_gaps(const struct evaluation *e, struct criterion_gap gaps[REQUIREMENT_NODES]);
size_t evaluation_gaps_read(const json_t *json, struct criterion_gap gaps[REQUIREMENT_NODES]);

#endif
