/* The measures of a period, and what a requirement tree makes of them. Exact integers; comparisons in 128 bits. */
#ifndef ASSAY_MODEL_RULES_MEASURES_H
#define ASSAY_MODEL_RULES_MEASURES_H

#include "model/rules/day.h"
#include "model/rules/policy.h"
#include "model/rules/requirement.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The figures of one period under one policy. All >= 0. */
struct measures {
	int64_t new_stores;
	fen new_store_gmv_fen;
	int64_t monthly_orders[POLICY_MONTHS_MAX]; /* months not reached yet: 0 */
	int32_t months;                            /* of the period, 1..12 */
	int32_t months_reached;                    /* how many have begun by the evaluation day, 1..months */
	int64_t exam_passes;                       /* distinct persons */
};

enum { NEEDED_NONE = -1 }; /* the month before had no orders: no count meets the growth */

/* The smallest count of orders that meets `bps` of growth over `before` (3.4). NEEDED_NONE when `before` is 0. False when
 * the count would pass INT64_MAX. */
bool growth_needed(int64_t before, int64_t bps, int64_t *needed) __attribute__((warn_unused_result));
/* now*10000 >= before*(10000+bps), and before > 0 (3.4). */
bool growth_met(int64_t before, int64_t now, int64_t bps);

struct growth_month {
	int64_t orders;
	int64_t needed; /* or NEEDED_NONE */
	bool met;       /* never for a month that has not begun */
};

/* What one node came to; beside requirement.nodes, same index. */
struct node_result {
	bool met;
	int64_t measured; /* criteria other than growth */
	int64_t gap;      /* max(0, at_least - measured) */
};

/* Judges the whole tree into results[0..r->len). False when a growth's `needed` would pass INT64_MAX. */
bool requirement_judge(const struct requirement *r, const struct measures *m, struct node_result *results)
        __attribute__((warn_unused_result));
/* The figures of growth month k (1..months-1) against `bps`; false as growth_needed(). */
bool growth_of_month(const struct measures *m, int32_t k, int64_t bps, struct growth_month *out)
        __attribute__((warn_unused_result));

/* ---- what is missing, for standing and progress ---- */

/* One criterion that is not met and still matters: not inside a group that is met. */
struct criterion_gap {
	enum measure measure;
	const char *clause;      /* borrowed from the policy (or from the JSON it was read from) */
	const char *alternative; /* the name of the innermost named branch of an `any` that it belongs to; NULL outside one */
	int64_t at_least;        /* growth: basis points */
	int64_t gap;             /* what is missing; growth: orders missing in `month`, or NEEDED_NONE */
	day month;               /* growth: the 1st of the first month that does not meet it; else DAY_NONE */
};

/* Fills gaps[] in the tree's order, at most REQUIREMENT_NODES; returns how many. `start` = the period's first day. */
size_t requirement_gaps(const struct requirement *r, const struct measures *m, const struct node_result *results, day start,
                        struct criterion_gap *gaps);

#endif
