/* Reads of published policies. For a parsed one see model/store/policy_cache.h. */
#ifndef ASSAY_MODEL_STORE_POLICIES_H
#define ASSAY_MODEL_STORE_POLICIES_H

#include "server/statement.h"

extern const struct statement POLICY_BY_REF; /* by_keys: 'id@version'; document, etag */
/* $1 after (as the cursor), $2 limit+1, $3 industry or NULL. Columns: cursor, body. By policy id, latest version first. */
extern const struct statement POLICY_LIST;

#endif
