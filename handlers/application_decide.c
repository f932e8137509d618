/* What becomes of an application: approve (the checks are made again), reject, withdraw. */
#include "handlers/admission_snapshot.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "model/store/applications.h"

#include <string.h>

static bool body_has_text(struct request *rq, const char *name, bool required)
{
	const char *text = NULL;
	const struct field fields[] = {
	        {.name = name, .kind = FIELD_STRING, .out = &text, .required = required, .min = 1, .max = 1000}};
	FAULTS_HERE(f);
	bool ok = json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f);
	if (!ok)
		reply_faults(rq, &f);
	return ok;
}

static void approve_on_snapshot(struct request *rq, const struct rows *rows)
{
	const char *checks;
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *status = rows_text(rows, 0, ADMISSION_APPLICATION_STATUS);
	if (strcmp(status, "submitted") != 0) {
		refuse(rq, CODE_WRONG_STATE, "application", status, "submitted", NULL);
		return;
	}
	json_t *documents = json_loads(rows_text(rows, 0, ADMISSION_DOCUMENTS), 0, NULL);
	bool passes = admission_passes(rq, rows, documents, true, &checks);
	json_decref(documents);
	if (!passes)
		return;
	json_t *args = args_with_id(rq, "application_id");
	json_object_set_new(args, "expected_version", json_integer(rows_int(rows, 0, ADMISSION_VERSION)));
	json_object_set_new(args, "today", json_string(rows_text(rows, 0, ADMISSION_TODAY_TEXT)));
	json_object_set_new(args, "checks", json_string(checks));
	request_write(rq, "application_approve", args);
}

void handle_application_approve(struct request *rq)
{
	const char *params[] = {request_param(rq, "id")};
	if (body_has_text(rq, "note", false))
		request_read(rq, &ADMISSION_OF_APPLICATION, params, approve_on_snapshot);
}

void handle_application_reject(struct request *rq)
{
	if (body_has_text(rq, "reason", true))
		request_write(rq, "application_reject", args_with_id(rq, "application_id"));
}

void handle_application_withdraw(struct request *rq)
{
	if (body_has_text(rq, "note", false))
		request_write(rq, "application_withdraw", args_with_id(rq, "application_id"));
}
