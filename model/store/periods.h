/* Reads of periods. `stale`: its figures have changed since its progress was computed (see model/store/progress.h). */
#ifndef ASSAY_MODEL_STORE_PERIODS_H
#define ASSAY_MODEL_STORE_PERIODS_H

#include "server/statement.h"

extern const struct statement PERIOD_BY_ID; /* by_keys: id; provider_id, body, etag, stale */
/* by_keys: provider id; its running period's id or NULL, stale. No row: no such provider. */
extern const struct statement PERIOD_RUNNING;
/* $1 provider, $2 after, $3 limit+1, $4 stage or NULL, $5 status or NULL. Columns: cursor, body. */
extern const struct statement PERIOD_LIST;

/* $1 provider, $2 period or NULL: the running one, else the last. A row when there is the provider: period, NULL when there is none
 * such that has begun; the provider's status; first day, evaluation day (of a decided one the decision's), as days since
 * 1970-01-01; its newest policy; its stage. */
extern const struct statement PERIOD_TO_TRY;

#endif
