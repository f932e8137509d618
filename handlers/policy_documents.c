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
