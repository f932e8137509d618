/* A second evaluator, written straight from the rule, day by day and store by store, with no thought of speed; its own
 * calendar, too. It shares nothing with the one it is held against but the structs of the input.
 *
 * It takes day facts only (no month totals) and at most NAIVE_STORES stores. */
#ifndef ASSAY_TESTS_PROPERTY_NAIVE_H
#define ASSAY_TESTS_PROPERTY_NAIVE_H

#include "model/rules/evaluation.h"

enum { NAIVE_STORES = 40, NAIVE_POLICIES = 4 };

__extension__ typedef __int128 naive_sum;

struct naive_month {
	naive_sum needed; /* -1: none would do */
	bool met;
};

struct naive_policy {
	bool met;
	naive_sum new_stores, gmv, monthly[12], exam_passes;
	const char *reason[NAIVE_STORES]; /* "" when counted */
	naive_sum store_gmv[NAIVE_STORES];
	bool node_met[REQUIREMENT_NODES];
	naive_sum node_gap[REQUIREMENT_NODES];
	struct naive_month node_months[REQUIREMENT_NODES][12];
	bool too_large; /* some figure passes 2^63 - 1 */
};

struct naive {
	bool met, final;
	day end, evaluated_on;
	naive_sum store_monthly[NAIVE_STORES][12];
	struct naive_policy policies[NAIVE_POLICIES];
	bool too_large;
};

void naive_evaluate(const struct evaluation_input *in, struct naive *out);

#endif
