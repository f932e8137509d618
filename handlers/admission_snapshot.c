#include "handlers/admission_snapshot.h"

#include "handlers/categories.h"
#include "handlers/input.h"
#include "model/store/applications.h"

#include <stdlib.h>
#include <string.h>

enum { CHECKS_BYTES_MAX = 64 * 1024 };

static const struct policy *policy_of_row(struct request *rq, const struct rows *rows)
{
	const char *document = rows_text(rows, 0, ADMISSION_POLICY_DOCUMENT);
	FAULTS_HERE(f);
	json_t *json = NULL;
	struct policy *policy = NULL;
	if (json_read(document, strlen(document), JSON_DEPTH_MAX, &json, &f) == JSON_OK)
		policy = policy_read(json, "", &f);
	json_decref(json);
	if (policy)
		request_on_end(rq, (void (*)(void *))policy_free, policy);
	return policy;
}

static const char *checks_json(struct request *rq, const struct admission *a)
{
	struct buf text = BUF_INIT(CHECKS_BYTES_MAX);
	struct json_writer w = json_writer_on(&text);
	admission_checks_json(&w, a, request_lang(rq));
	const char *json = text.failed ? NULL : request_printf(rq, "%s", text.data);
	buf_free(&text);
	return json;
}

static struct admission *make_checks(struct request *rq, const struct rows *rows, const struct policy *policy,
                                     const json_t *documents, bool own)
{
	const char *reapply_from = rows_text(rows, 0, ADMISSION_REAPPLY_FROM);
	size_t count = json_array_size(documents);
	const char **kinds = request_alloc(rq, (count + 1) * sizeof *kinds);
	for (size_t i = 0; i < count; i++)
		kinds[i] = json_string_value(json_object_get(json_array_get(documents, i), "kind"));
	const struct admission_facts facts = {
	        .service_categories = categories_of(rows_text(rows, 0, ADMISSION_SERVICE_CATEGORIES)),
	        .documents = kinds,
	        .document_count = count,
	        .today = (day)rows_int(rows, 0, ADMISSION_TODAY),
	        .reapply_from = reapply_from ? (day)rows_int(rows, 0, ADMISSION_REAPPLY_FROM) : DAY_NONE,
	        .reapply_cause = rows_text(rows, 0, ADMISSION_REAPPLY_CAUSE),
	        .waiver = rows_text(rows, 0, ADMISSION_WAIVER),
	        .waiver_expires_on = (day)rows_int(rows, 0, ADMISSION_WAIVER_EXPIRES_ON),
	        .open_application = own ? NULL : rows_text(rows, 0, ADMISSION_OPEN_APPLICATION),
	};
	struct admission *a = request_alloc(rq, sizeof *a);
	admission_check(policy, &facts, a);
	return a;
}

bool admission_passes(struct request *rq, const struct rows *rows, const json_t *documents, bool own, const char **checks)
{
	const struct policy *policy = policy_of_row(rq, rows);
	if (!policy) { /* published policies were read once already: only memory can be missing */
		reply_problem(rq, CODE_INTERNAL, NULL, 0);
		return false;
	}
	const struct admission *a = make_checks(rq, rows, policy, documents, own);
	if (a->not_configured) {
		refuse(rq, CODE_NOT_CONFIGURED, policy->ref, "admission.documents", NULL);
		return false;
	}
	*checks = checks_json(rq, a);
	if (a->unmet == 0 && *checks)
		return true;
	const char *args[] = {request_printf(rq, "%zu", a->unmet)};
	json_t *list = *checks ? json_loads(*checks, 0, NULL) : NULL;
	if (list)
		request_refuse(rq, CODE_ADMISSION_REFUSED, args, 1, json_pack("{s:o}", "checks", list));
	else
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	return false;
}
