/* What a running period comes to at its present pace, criterion by criterion, and how far off it is. Pure and exact: integers,
 * rounded down. The method (docs/rule.md, "The forecast"):
 *
 *   new stores, their GMV   as many as there are, times the period's days by those that have passed
 *   first month's orders    the same over that month; once it is over, what it had
 *   growth                  each month that has begun by itself: its orders, extended over the month, against what it needs over the
 *                           month before, which is over. A month that has not begun is not forecast
 *   exam passes             what there is: nobody passes at a pace
 *
 * So a criterion is on pace, or not, or (growth, until the last month has begun) it cannot be said yet; all-of and any-of follow:
 * not, as soon as one of all or each of any is not; otherwise not to be said when any of them is not. */
#ifndef ASSAY_MODEL_RULES_FORECAST_H
#define ASSAY_MODEL_RULES_FORECAST_H

#include "base/buf.h"
#include "model/rules/evaluation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pace { PACE_SHORT, PACE_OPEN, PACE_MET }; /* not at this pace; it cannot be said yet; at this pace */

enum { FORECAST_ALL_BPS = 10000 };

struct forecast_criterion {
	size_t node; /* of the stage's requirement */
	const char *alternative; /* as struct criterion_gap's */
	enum pace pace;
	day month; /* growth: the 1st of the month that this is about; else DAY_NONE */
	day by; /* the last day that counts */
	int64_t needed; /* what it must come to; NEEDED_NONE: no count does, or it is not known yet */
	int64_t projected; /* what it comes to at this pace; NEEDED_NONE: not known */
	int64_t missing; /* what is still needed now; 0: nothing; NEEDED_NONE as `needed` */
	int32_t missing_bps; /* PACE_SHORT: the share of `needed` that is not reached, rounded up, 1..10,000; else 0 */
};

struct forecast {
	const struct policy *policy; /* of several the one that is least far off, the first of them */
	enum stage stage;
	day as_of;
	enum pace pace;
	int32_t missing_bps; /* of the whole: the most of all-of, the least of any-of; 0 unless `pace` is PACE_SHORT */
	struct forecast_criterion criteria[REQUIREMENT_NODES]; /* in the tree's order */
	size_t count;
};

/* Of an evaluation, usually provisional: of a final one every pace is what was decided. */
void forecast_make(const struct evaluation *e, struct forecast *out);

/* Appends {"as_of", "policy", "met": true|false|null, "missing_bps", "criteria": [...]}. */
void forecast_json(struct buf *out, const struct forecast *f);

#endif
