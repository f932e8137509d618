/* Policies in requests: by their reference in the path, whole in the body, or as changes to one. */
#ifndef ASSAY_HANDLERS_POLICY_DOCUMENTS_H
#define ASSAY_HANDLERS_POLICY_DOCUMENTS_H

#include "base/json_read.h"
#include "model/rules/policy.h"
#include "model/rules/policy_change.h"
#include "server/request.h"

const char *policy_ref_in_path(struct request *rq); /* "id@version" of /v1/policies/{id}@{version} */

/* What a write takes of a policy: its canonical document and the hash of that. NULL when out of memory. */
json_t *policy_args(const struct policy *p);

/* What is to be tried in place of a policy: some `changes` of it, or a whole `policy`; neither: as it is. Borrowed from the body. */
struct tried_policy {
	json_t *changes, *policy;
};

/* Members of a body, for json_fields(). */
#define TRIED_POLICY_FIELDS(tried)                                                                                             \
	{.name = "changes", .kind = FIELD_ARRAY, .out = &(tried)->changes, .min = 1, .max = POLICY_CHANGES_MAX},               \
	{                                                                                                                      \
		.name = "policy", .kind = FIELD_OBJECT, .out = &(tried)->policy                                                \
	}

/* The policy to try; NULL when a fault was added - or, with none, when out of memory. The caller frees. */
struct policy *tried_policy_read(const struct tried_policy *tried, const struct policy *base, struct faults *f)
        __attribute__((warn_unused_result));

#endif
