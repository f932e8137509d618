/* Reads of policies, drafts and published versions. For a published one parsed see model/store/policy_cache.h. */
#ifndef ASSAY_MODEL_STORE_POLICIES_H
#define ASSAY_MODEL_STORE_POLICIES_H

#include "model/rules/policy.h"
#include "server/statement.h"

/* by_keys: 'id@version'; document, etag, status, sha256 */
extern const struct statement POLICY_BY_REF;
/* $1 after (as the cursor), $2 limit+1, $3 industry, $4 status, $5 policy_id, each NULL for any. Columns: cursor, body. By policy
 * id, the version with the latest effective day first. */
extern const struct statement POLICY_LIST;
/* $1 and $2, each 'id@version': document, status of the one; document, status of the other, NULL when there is none. */
extern const struct statement POLICY_PAIR;
/* $1 'id@version': document, status, what lies in the way of publishing it (a policy_ref, or NULL), today, the document of the version
 * that is in force on the day before its own (or NULL). Days as days since 1970-01-01. */
extern const struct statement POLICY_PROSPECT;

/* A document as it is kept, parsed. NULL when a fault was added - or, with none, when out of memory. The caller frees. */
struct policy *policy_parse(const char *document, struct faults *faults) __attribute__((warn_unused_result));

#endif
