/* Policies in requests: by their reference in the path, and whole in the body. */
#ifndef ASSAY_HANDLERS_POLICY_DOCUMENTS_H
#define ASSAY_HANDLERS_POLICY_DOCUMENTS_H

#include "model/rules/policy.h"
#include "server/request.h"

const char *policy_ref_in_path(struct request *rq); /* "id@version" of /v1/policies/{id}@{version} */

/* What a write takes of a policy: its canonical document and the hash of that. NULL when out of memory. */
json_t *policy_args(const struct policy *p);

#endif
