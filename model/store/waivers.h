/* Reads of waivers. */
#ifndef ASSAY_MODEL_STORE_WAIVERS_H
#define ASSAY_MODEL_STORE_WAIVERS_H

#include "server/statement.h"

extern const struct statement WAIVER_BY_ID; /* by_keys: id; provider_id, body, etag */
/* $1 provider, $2 after, $3 limit+1, $4 status or NULL. Columns: cursor, body. */
extern const struct statement WAIVER_LIST;

#endif
