/* Reads of refunds. */
#ifndef ASSAY_MODEL_STORE_REFUNDS_H
#define ASSAY_MODEL_STORE_REFUNDS_H

#include "server/statement.h"

extern const struct statement REFUND_BY_ID; /* by_keys: refund id; provider id, body, etag */
/* $1 provider, $2 after, $3 limit+1, $4 status or NULL. Columns: cursor, body. */
extern const struct statement REFUND_LIST;

#endif
