/* The evaluation of a period (rules.md, "Evaluating a period, exactly"): facts and policies in, a decision out. A pure
 * function; the order of stores, bindings, facts and passes never changes what it decides. */
#ifndef ASSAY_MODEL_RULES_EVALUATION_H
#define ASSAY_MODEL_RULES_EVALUATION_H

#include "model/rules/day.h"
#include "model/rules/measures.h"
#include "model/rules/policy.h"
#include "model/rules/region.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- in: plain arrays that the caller owns; nothing is changed or kept ---- */

/* Cooperation, half-open: active on day d when bound_on <= d < unbound_on. */
struct binding {
	bool self;      /* the provider's own; false: another provider's, which only repeat_scope `any` looks at */
	day bound_on;
	day unbound_on; /* >= bound_on; DAY_NONE: still bound */
};

struct day_fact {
	day on;          /* at most once a store */
	int64_t orders;  /* 0..FIGURE_MAX, as is gmv_fen */
	fen gmv_fen;
};

/* The total of a whole month, in place of its day facts: see month_may_stand_for_days(). */
struct month_fact {
	day month;       /* its 1st; at most once a store, and no day fact of that month beside it */
	int64_t orders;  /* 0..MONTH_FIGURE_MAX, as is gmv_fen */
	fen gmv_fen;
};

struct evaluation_store {
	const char *store_id;
	/* As in force on the evaluation day. `unlisted`: nothing was in force yet; the store matches nothing, the rest is unused. */
	bool unlisted;
	region registered_region;
	const region *ship_from_regions;
	size_t ship_from_count;
	const char *industry;
	const char *category;
	enum store_status status;
	const struct binding *bindings; /* those of `self` never overlap one another */
	size_t binding_count;
	const struct day_fact *days;
	size_t day_count;
	const struct month_fact *months;
	size_t month_count;
};

struct exam_pass {
	const char *person_id;
	day passed_on;
};

struct evaluation_input {
	const struct policy *const *policies; /* 1.., all with the same number of months for the stage */
	size_t policy_count;
	enum stage stage;
	day start; /* a 1st */
	day as_of; /* >= start */
	region provider_region;
	const char *provider_industry;
	const char *provider_main_category;
	const struct exam_pass *exam_passes;
	size_t exam_pass_count;
	const struct evaluation_store *stores; /* each store once */
	size_t store_count;
};

/* ---- out ---- */

/* Why a store was not counted: the first that applies, in the rule's order. */
enum store_reason {
	REASON_NONE,
	REASON_CATEGORY_MISMATCH,
	REASON_REGION_MISMATCH,
	REASON_NOT_NEW_IN_PERIOD,
	REASON_REPEAT_BINDING,
	REASON_NOT_BOUND_AT_EVALUATION,
	REASON_STATUS_NOT_NORMAL,
	STORE_REASONS
};

const char *store_reason_name(enum store_reason r); /* NULL for REASON_NONE */

struct store_verdict {
	enum store_reason reason; /* REASON_NONE: counted */
	fen gmv_fen;              /* what it added to new_store_gmv_fen; 0 when not counted */
};

struct policy_result {
	const struct policy *policy; /* borrowed from the input */
	bool met;
	struct measures measures;
	struct node_result nodes[REQUIREMENT_NODES]; /* beside policy->stages[stage].requires.nodes */
	struct store_verdict *stores;                /* store_count of them, in the input's order */
};

struct store_orders {
	int64_t monthly[POLICY_MONTHS_MAX]; /* what the store added to each month: 0s when not matching */
};

struct evaluation {
	bool met;   /* by any policy */
	bool final; /* as_of >= end */
	enum stage stage;
	day start, end;
	day as_of;
	day evaluated_on; /* min(as_of, end) */
	int32_t months;
	size_t policy_count;
	struct policy_result *policies; /* in the input's order */
	size_t store_count;
	struct store_orders *orders; /* in the input's order; the same under every policy */
};

enum evaluation_status {
	EVALUATION_OK,
	EVALUATION_INVALID,      /* start not a 1st, as_of before start, no policy, months differ, a month fact that may not stand */
	EVALUATION_OUT_OF_RANGE, /* a sum, or what growth needs, would pass INT64_MAX: fault number_out_of_range */
	EVALUATION_NO_MEMORY
};

/* On EVALUATION_OK the caller frees `out` with evaluation_free(); otherwise it holds nothing. Time: linear in the facts, plus
 * sorting the bindings of a store that come unsorted and the exam passes. Memory: stores x (policies + 1), nothing a fact. */
enum evaluation_status evaluate(const struct evaluation_input *in, struct evaluation *out) __attribute__((warn_unused_result));
void evaluation_free(struct evaluation *e);

day period_end(day start, int32_t months); /* the last day of the months-th month */

/* True when one figure for the whole month says the same as its days would: the month is over by the evaluation day and none
 * of the provider's own bindings of the store begins or ends strictly inside it (on its 1st is fine). */
bool month_may_stand_for_days(const struct binding *bindings, size_t count, day month, day evaluated_on);

#endif
