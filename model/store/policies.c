#include "model/store/policies.h"

/* A version never changes, so that its hash is its ETag. */
const struct statement POLICY_BY_REF = {
        .name = "policy_by_ref",
        .sql = "select k.ref, p.document, p.sha256 from unnest($1::text[]) k(ref)"
               " join policy p on p.policy_id = split_part(k.ref, '@', 1) and p.version = split_part(k.ref, '@', 2)"
               " where p.status = 'published'",
        .params = 1,
        .by_keys = true,
};

/* The cursor is "id@day": within one policy no two versions take effect on one day. */
const struct statement POLICY_LIST = {
        .name = "policy_list",
        .sql = "select policy_id || '@' || effective_from, policy_summary(p) from policy p"
               " where status = 'published' and ($3::text is null or industry = $3)"
               " and ($1::text is null or policy_id > split_part($1, '@', 1)"
               "  or policy_id = split_part($1, '@', 1) and effective_from::text < split_part($1, '@', 2))"
               " order by policy_id, effective_from desc limit $2::integer",
        .params = 3,
};
