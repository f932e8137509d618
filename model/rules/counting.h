/* One store at a time: on which days of the period it was bound, what it adds, and whether it counts as a new store. Used by
 * evaluation.c only. */
#ifndef ASSAY_MODEL_RULES_COUNTING_H
#define ASSAY_MODEL_RULES_COUNTING_H

#include "model/rules/evaluation.h"

enum { PERIOD_DAYS_MAX = 366 };

/* The days of [start, evaluated_on], and what is known of the store at hand. */
struct counter {
	const struct evaluation_input *in;
	day start;
	day evaluated_on;
	int32_t months;
	uint32_t day_count;                 /* of [start, evaluated_on] */
	uint8_t month_of[PERIOD_DAYS_MAX];  /* 0.. by day of the period */
	bool bound[PERIOD_DAYS_MAX];        /* the store's: actively bound to the provider on that day */
	struct binding *bindings;           /* the store's, by bound_on; room for the longest list of any store */
	size_t binding_count;
	fen period_gmv;                     /* the store's GMV over all days of the period */
};

/* False: out of memory. */
bool counter_init(struct counter *c, const struct evaluation_input *in, day evaluated_on, int32_t months)
        __attribute__((warn_unused_result));
void counter_free(struct counter *c);

bool store_matches_category(const struct evaluation_input *in, const struct evaluation_store *store);
bool store_matches_region(const struct evaluation_input *in, const struct evaluation_store *store);

/* Turns to one store: its bindings, and, when it matches, its orders and the period's GMV. */
enum evaluation_status counter_take(struct counter *c, const struct evaluation_store *store, bool matching,
                                    struct store_orders *orders) __attribute__((warn_unused_result));

/* Whether the store at hand counts under `policy`, and what it adds to new_store_gmv_fen. */
enum evaluation_status counter_judge(const struct counter *c, const struct evaluation_store *store,
                                     const struct counting_policy *policy, struct store_verdict *verdict)
        __attribute__((warn_unused_result));

#endif
