/* Reads of appeals. */
#ifndef ASSAY_MODEL_STORE_APPEALS_H
#define ASSAY_MODEL_STORE_APPEALS_H

#include "server/statement.h"

extern const struct statement APPEAL_BY_ID; /* by_keys: id; provider_id, body, etag */
/* $1 after, $2 limit+1, $3 whose provider's (a partner's own) or NULL, $4 status, $5 overdue, $6 decision, $7 provider; or NULL.
 * Columns: cursor, body. */
extern const struct statement APPEAL_LIST;

#endif
