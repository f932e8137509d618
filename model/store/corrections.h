/* Reads of corrections, and what their confirmation is decided on. */
#ifndef ASSAY_MODEL_STORE_CORRECTIONS_H
#define ASSAY_MODEL_STORE_CORRECTIONS_H

#include "server/statement.h"

extern const struct statement CORRECTION_BY_ID; /* by_keys: id; provider_id, body, etag */
/* $1 after, $2 limit+1, $3 whose provider's (a partner's own) or NULL, $4 status, $5 decision, $6 provider; or NULL. Columns: cursor, body. */
extern const struct statement CORRECTION_LIST;

/* $1 id. One row, or none. */
extern const struct statement CORRECTION_SNAPSHOT;
enum correction_snapshot_column {
	CORRECTION_STATUS,
	CORRECTION_DECISION,
	CORRECTION_EVALUATION_SHA256,
	CORRECTION_PERIOD_STATUS,
	CORRECTION_PROVIDER,
	CORRECTION_PROVIDER_STATUS,
	CORRECTION_APPLICATION, /* that the provider's status rests on */
	CORRECTION_OWN_APPLICATION, /* and that is the period's */
	CORRECTION_EXITED_SINCE,
	CORRECTION_CATEGORIES_KEPT, /* the provider sells every service category that the period's newest policy asks for */
	CORRECTION_LATER_PERIODS, /* JSON arrays of ids */
	CORRECTION_RUNNING_REFUNDS
};

extern const struct statement CORRECTION_LAPSE; /* $1 id, $2 context */

#endif
