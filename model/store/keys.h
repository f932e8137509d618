/* API keys: who calls, and their administration. The database holds hashes only. */
#ifndef ASSAY_MODEL_STORE_KEYS_H
#define ASSAY_MODEL_STORE_KEYS_H

#include "server/statement.h"

/* by_keys: the SHA-256 of the presented key, 64 lower-case hex digits. Columns: that hash, key_id, name, role, provider_id,
 * expired, revoked, used_lately (false: tell KEY_USED). */
extern const struct statement AUTH_KEY;
extern const struct statement KEY_USED; /* $1 key_id: notes the use, at most once a minute */
/* For the command line: $1 role, $2 name, $3 provider_id or NULL, $4 hash (hex), $5 prefix. Columns: key_id; none when there
 * is no such provider. */
extern const struct statement KEY_ADD;
/* $1 after, $2 limit+1. Columns: cursor, body. */
extern const struct statement KEY_LIST;

#endif
