#include "model/store/policies.h"

#include "base/json_read.h"

#include <string.h>

#define BY_REF(alias, param)                                                                                                   \
	alias ".policy_id = split_part(" param ", '@', 1) and " alias ".version = split_part(" param ", '@', 2)"

/* A published version never changes, and a draft only as a whole: its hash is its ETag. */
const struct statement POLICY_BY_REF = {
        .name = "policy_by_ref",
        .sql = "select k.ref, p.document, policy_etag(p), p.status, p.sha256 from unnest($1::text[]) k(ref) join policy p "
               "on " BY_REF("p", "k.ref"),
        .params = 1,
        .by_keys = true,
};

/* The cursor is "id@day@version": two drafts may mean to take effect on one day. */
const struct statement POLICY_LIST = {
        .name = "policy_list",
        .sql = "select policy_id || '@' || effective_from || '@' || version, policy_summary(p) from policy p"
               " where ($3::text is null or industry = $3) and ($4::text is null or status = $4) and ($5::text is null or "
               "policy_id = $5)"
               " and ($1::text is null or policy_id > split_part($1, '@', 1) or policy_id = split_part($1, '@', 1)"
               "  and (effective_from::text, version) < (split_part($1, '@', 2), split_part($1, '@', 3)))"
               " order by policy_id, effective_from desc, version desc limit $2::integer",
        .params = 5,
};

const struct statement POLICY_PAIR = {
        .name = "policy_pair",
        .sql = "select p.document, p.status, w.document, w.status from policy p left join policy w on " BY_REF(
                "w", "$2") " where " BY_REF("p", "$1"),
        .params = 2,
};

const struct statement POLICY_PROSPECT = {
        .name = "policy_prospect",
        .sql = "select p.document, p.status, (select policy_ref(o.policy_id, o.version) from policy o where o.policy_id = "
               "p.policy_id"
               "  and o.status = 'published' and o.effective_from = p.effective_from and o.version <> p.version),"
               " assay_today() - date '1970-01-01', (select o.document from policy o where o.policy_id = p.policy_id"
               "  and o.version = policy_version_on(p.policy_id, p.effective_from - 1))"
               " from policy p where " BY_REF("p", "$1"),
        .params = 1,
};

struct policy *policy_parse(const char *document, struct faults *faults)
{
	json_t *json = NULL;
	struct policy *p = NULL;
	if (json_read(document, strlen(document), JSON_DEPTH_MAX, &json, faults) == JSON_OK)
		p = policy_read(json, "", faults);
	json_decref(json);
	return p;
}
