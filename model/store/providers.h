/* Reads of providers. The columns that each statement answers are said beside it. */
#ifndef ASSAY_MODEL_STORE_PROVIDERS_H
#define ASSAY_MODEL_STORE_PROVIDERS_H

#include "server/statement.h"

extern const struct statement PROVIDER_BY_ID; /* by_keys: id; body, etag */
extern const struct statement PROVIDER_EXISTS; /* by_keys: id */
/* $1 after, $2 limit+1, $3 whose (a partner's own; NULL: all), $4 status, $5 region (covers), $6 industry, $7 q; a NULL filter
 * filters nothing. Columns: cursor, body. */
extern const struct statement PROVIDER_LIST;

#endif
