/* Everything that GET .../qualification rests on, in one statement of point reads: by primary key or unique index, no sums. */
#ifndef ASSAY_MODEL_STORE_QUALIFICATION_H
#define ASSAY_MODEL_STORE_QUALIFICATION_H

#include "server/statement.h"

/* Days are days since 1970-01-01. */
enum qualification_column {
	QUALIFICATION_PROVIDER,
	QUALIFICATION_STATUS,
	QUALIFICATION_SINCE,
	QUALIFICATION_TODAY,
	QUALIFICATION_WATERMARK, /* or NULL */
	QUALIFICATION_POLICY, /* 'id@version' of the one that governs now, or NULL */
	QUALIFICATION_BALANCE,
	QUALIFICATION_HELD,
	QUALIFICATION_SHORTFALL_SINCE, /* or NULL */
	QUALIFICATION_REAPPLY_FROM, /* or NULL */
	QUALIFICATION_REAPPLY_CAUSE, /* or NULL */
	QUALIFICATION_WAIVER, /* id of the waiver that lifts that cool-down today, or NULL, as its last day */
	QUALIFICATION_WAIVER_EXPIRES_ON,
	QUALIFICATION_SERVICE_CATEGORIES, /* joined by ',' */
	QUALIFICATION_PERIOD, /* the running or next one; NULL, as what follows: none */
	QUALIFICATION_STAGE,
	QUALIFICATION_PERIOD_STATUS,
	QUALIFICATION_START,
	QUALIFICATION_END,
	QUALIFICATION_PERIOD_BODY,
	QUALIFICATION_GAPS, /* of model/store/gaps.h; NULL: it was not evaluated yet */
	QUALIFICATION_EXAMPLE, /* of the period */
	QUALIFICATION_STALE, /* its progress was computed from figures that have changed since */
	QUALIFICATION_MISSING_STORE_DAYS /* days on which a store was bound and has no figures yet; NULL unless some are missing */
};
extern const struct statement QUALIFICATION; /* by_keys: provider id */

#endif
