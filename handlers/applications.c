/* Applications: submit, read, list. */
#include "model/store/applications.h"

#include "handlers/admission_snapshot.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "model/rules/lifecycle.h"

#include <stdlib.h>
#include <string.h>

static bool check_application(const json_t *body, const char **policy, struct faults *f)
{
	json_t *documents = NULL;
	const struct field fields[] = {
	        {.name = "documents", .kind = FIELD_ARRAY, .out = &documents, .required = true, .min = 0, .max = DOCUMENTS_MAX},
	        {.name = "policy", .kind = FIELD_STRING, .out = policy},
	};
	(void)!json_fields(body, "", fields, COUNT_OF(fields), f);
	check_documents(documents, "/documents", f);
	if (*policy && !policy_ref_valid(*policy))
		faults_add(f, "/policy", CODE_WRONG_FORMAT, "id@version", NULL);
	return !faults_any(f);
}

/* The statuses from which a provider may apply, for people. */
static const char *may_apply(struct request *rq)
{
	const char *list = "";
	for (int s = 0; s < PROVIDER_STATUSES; s++)
		if (lifecycle_may_apply((enum provider_status)s))
			list = request_printf(rq, "%s%s%s", list, *list ? ", " : "",
			                      provider_status_name((enum provider_status)s));
	return list;
}

/* Which policy it is made under; false: the refusal is staged. */
static bool policy_applies(struct request *rq, const struct rows *rows)
{
	const char *wanted = json_string_value(json_object_get(request_body(rq), "policy"));
	const char *policy = rows_text(rows, 0, ADMISSION_POLICY), *industry = rows_text(rows, 0, ADMISSION_INDUSTRY);
	FAULTS_HERE(f);
	if (!policy && !wanted) {
		refuse(rq, CODE_NO_POLICY, industry, NULL);
		return false;
	}
	if (!policy)
		faults_add(&f, "/policy", CODE_UNKNOWN_POLICY, wanted, NULL);
	else if (strcmp(industry, rows_text(rows, 0, ADMISSION_POLICY_INDUSTRY)) != 0)
		faults_add(&f, "/policy", CODE_OTHER_INDUSTRY, policy, rows_text(rows, 0, ADMISSION_POLICY_INDUSTRY), industry,
		           NULL);
	if (faults_any(&f))
		reply_faults(rq, &f);
	return !faults_any(&f);
}

static void decide_on_snapshot(struct request *rq, const struct rows *rows)
{
	enum provider_status status;
	const char *checks;
	json_t *documents = json_object_get(request_body(rq), "documents");
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *status_name = rows_text(rows, 0, ADMISSION_STATUS);
	bool known = provider_status_by_name(status_name, &status);
	/* One that has an open application fails that check below, beside all others. */
	if (!known || (!lifecycle_may_apply(status) && status != PROVIDER_APPLIED)) {
		refuse(rq, CODE_WRONG_STATE, "provider", status_name, may_apply(rq), NULL);
		return;
	}
	if (!policy_applies(rq, rows) || !admission_passes(rq, rows, documents, false, &checks))
		return;
	request_write(rq, "application_submit",
	              json_pack("{s:s, s:I, s:s, s:s, s:o, s:s}", "provider_id", rows_text(rows, 0, ADMISSION_PROVIDER),
	                        "expected_version", (json_int_t)rows_int(rows, 0, ADMISSION_VERSION), "today",
	                        rows_text(rows, 0, ADMISSION_TODAY_TEXT), "policy", rows_text(rows, 0, ADMISSION_POLICY),
	                        "documents", json_as_text(documents), "checks", checks));
}

void handle_application_submit(struct request *rq)
{
	const char *policy = NULL;
	FAULTS_HERE(f);
	if (!request_may_see(rq, request_param(rq, "id"))) {
		reply_not_found(rq);
	} else if (!check_application(request_body(rq), &policy, &f)) {
		reply_faults(rq, &f);
	} else {
		const char *params[] = {request_param(rq, "id"), policy};
		request_read(rq, &ADMISSION_OF_PROVIDER, params, decide_on_snapshot);
	}
}

static void application_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0 || !request_may_see(rq, rows_text(rows, 0, 1))) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, 2);
	reply_etag(rq, rows_text(rows, 0, 3));
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_application_get(struct request *rq)
{
	request_read_key(rq, &APPLICATION_BY_ID, request_param(rq, "id"), application_reply);
}

void handle_application_list(struct request *rq)
{
	static const char *const statuses[] = {"submitted", "approved", "rejected", "withdrawn", NULL};
	const char *status = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "status", statuses, &status, &f);
	const char *filters[] = {status};
	list_of_provider(rq, &APPLICATION_LIST, filters, COUNT_OF(filters), &f);
}
