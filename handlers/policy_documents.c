#include "handlers/policy_documents.h"

#include "base/sha256.h"

enum { DOCUMENT_MAX = 1024 * 1024 };

const char *policy_ref_in_path(struct request *rq)
{
	return request_printf(rq, "%s@%s", request_param(rq, "id"), request_param(rq, "version"));
}

json_t *policy_args(const struct policy *p)
{
	struct buf document = BUF_INIT(DOCUMENT_MAX);
	char sum[SHA256_HEX];
	policy_json(&document, p);
	if (document.failed) {
		buf_free(&document);
		return NULL;
	}
	sha256_hex(document.data, document.len, sum);
	json_t *args = json_pack("{s:s%, s:s}", "document", document.data, document.len, "sha256", sum);
	buf_free(&document);
	return args;
}

struct policy *tried_policy_read(const struct tried_policy *tried, const struct policy *base, struct faults *f)
{
	json_t *none = NULL;
	struct policy *p = NULL;
	if (tried->policy && tried->changes)
		faults_add(f, "/changes", CODE_GIVEN_TWICE, "/policy", NULL);
	else if (tried->policy)
		p = policy_read(tried->policy, "/policy", f);
	else if (tried->changes)
		p = policy_changed(base, tried->changes, "/changes", f);
	else if ((none = json_array()))
		p = policy_changed(base, none, "/changes", f);
	json_decref(none);
	return p;
}
