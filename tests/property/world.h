/* A random input for the evaluator, all of it in one block: policies, stores, bindings, facts, passes. Small, and dense with
 * edges: days around the period's ends, bindings that touch, end on an edge or have no days, figures at thresholds and near
 * 2^53. */
#ifndef ASSAY_TESTS_PROPERTY_WORLD_H
#define ASSAY_TESTS_PROPERTY_WORLD_H

#include "model/rules/evaluation.h"
#include "tests/property/random.h"

enum {
	WORLD_STORES = 14, /* one of them is room for a store that a test adds */
	WORLD_POLICIES = 3,
	WORLD_BINDINGS = 9, /* of a store; one of them is room, too */
	WORLD_DAYS = 60,
	WORLD_MONTHS = 12,
	WORLD_PASSES = 8,
	WORLD_REGIONS = 3
};

struct world {
	struct evaluation_input in;
	struct policy policies[WORLD_POLICIES];
	const struct policy *list[WORLD_POLICIES];
	struct evaluation_store stores[WORLD_STORES];
	struct binding bindings[WORLD_STORES][WORLD_BINDINGS];
	struct day_fact days[WORLD_STORES][WORLD_DAYS];
	struct month_fact months[WORLD_STORES][WORLD_MONTHS];
	region regions[WORLD_STORES][WORLD_REGIONS];
	struct exam_pass passes[WORLD_PASSES];
};

void world_make(struct world *w, struct random *r);
/* A copy that points into itself. */
void world_copy(struct world *to, const struct world *from);
/* Puts stores, bindings, facts, passes and regions into another order; where[i] = where store i went. */
void world_shuffle(struct world *w, struct random *r, size_t where[WORLD_STORES]);

#endif
