/* Published policies, parsed. A published version never changes, so that what was read once serves until the process ends;
 * shared by all threads. */
#ifndef ASSAY_MODEL_STORE_POLICY_CACHE_H
#define ASSAY_MODEL_STORE_POLICY_CACHE_H

#include "model/rules/policy.h"
#include "server/db.h"

enum { POLICY_CACHE_MAX = 4096 }; /* versions; one more is an error that the log states */

/* DB_OK: *out is the policy, which outlives every request, or NULL when no published policy has that name ("id@version"). */
enum db_status policy_cache_get(struct db *db, const char *ref, const struct policy **out) __attribute__((warn_unused_result));

/* What is in the cache already, or NULL. Takes no database. */
const struct policy *policy_cache_peek(const char *ref);

#endif
