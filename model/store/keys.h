/* API keys: who calls, and their administration. The database holds hashes only. */
#ifndef ASSAY_MODEL_STORE_KEYS_H
#define ASSAY_MODEL_STORE_KEYS_H

#include "server/statement.h"

/* See struct service_config of server/service.h: by the keyed hash of the presented key. A key that expires at this very
 * millisecond has 0 left. */
extern const struct statement AUTH_KEY;
extern const struct statement KEY_USED; /* $1 key_id: notes the use, at most once a minute */
/* For the command line: $1 role, $2 name, $3 provider_id or NULL, $4 hash (hex), $5 prefix. Columns: key_id; none when there
 * is no such provider. */
extern const struct statement KEY_ADD;
/* $1 after, $2 limit+1. Columns: cursor, body. */
extern const struct statement KEY_LIST;
extern const struct statement KEY_BY_ID; /* by_keys: key_id. Columns: key_id, body */

#endif
