/* Appeals against decisions: submitted by the provider or for it, answered by another person, or withdrawn. */
#include "model/store/appeals.h"

#include "handlers/handlers.h"
#include "handlers/input.h"

#include <string.h>

enum { REASON_MAX = 4000 };

void handle_appeal_submit(struct request *rq)
{
	const char *reason = NULL;
	json_t *documents = NULL;
	const struct field fields[] = {
	        {.name = "reason", .kind = FIELD_STRING, .out = &reason, .required = true, .min = 1, .max = REASON_MAX},
	        {.name = "documents", .kind = FIELD_ARRAY, .out = &documents, .min = 0, .max = DOCUMENTS_MAX},
	};
	FAULTS_HERE(f);
	(void)!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f);
	check_documents(documents, "/documents", &f);
	if (faults_any(&f)) {
		reply_faults(rq, &f);
		return;
	}
	json_t *args = args_with_id(rq, "decision_id");
	json_object_set_new(args, "documents", documents ? json_as_text(documents) : json_string("[]"));
	request_write(rq, "appeal_submit", args);
}

/* Writes when the body is of these fields; else says what is wrong with it. */
static void write_checked(struct request *rq, const struct field *fields, size_t n, const char *op)
{
	FAULTS_HERE(f);
	if (json_fields(request_body(rq), "", fields, n, &f))
		request_write(rq, op, args_with_id(rq, "appeal_id"));
	else
		reply_faults(rq, &f);
}

void handle_appeal_confirm(struct request *rq)
{
	const char *reason = NULL;
	const struct field fields[] = {
	        {.name = "reason", .kind = FIELD_STRING, .out = &reason, .required = true, .min = 1, .max = REASON_MAX}};
	write_checked(rq, fields, COUNT_OF(fields), "appeal_confirm");
}

void handle_appeal_correct(struct request *rq)
{
	const char *correction = NULL, *reason = NULL;
	const struct field fields[] = {
	        {.name = "correction_id", .kind = FIELD_STRING, .out = &correction, .required = true, .min = 1, .max = 64},
	        {.name = "reason", .kind = FIELD_STRING, .out = &reason, .min = 1, .max = REASON_MAX},
	};
	write_checked(rq, fields, COUNT_OF(fields), "appeal_correct");
}

void handle_appeal_withdraw(struct request *rq)
{
	const char *note = NULL;
	const struct field fields[] = {{.name = "note", .kind = FIELD_STRING, .out = &note, .min = 1, .max = REASON_MAX}};
	write_checked(rq, fields, COUNT_OF(fields), "appeal_withdraw");
}

static void appeal_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0 || !request_may_see(rq, rows_text(rows, 0, 1))) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, 2);
	reply_etag(rq, rows_text(rows, 0, 3));
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_appeal_get(struct request *rq)
{
	request_read_key(rq, &APPEAL_BY_ID, request_param(rq, "id"), appeal_reply);
}

void handle_appeal_list(struct request *rq)
{
	static const char *const statuses[] = {"open", "confirmed", "corrected", "withdrawn", NULL};
	static const char *const bools[] = {"true", "false", NULL};
	const char *status = NULL, *overdue = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "status", statuses, &status, &f);
	(void)request_query_word(rq, "overdue", bools, &overdue, &f);
	const char *filters[] = {list_whose(rq), status, overdue, request_query(rq, "decision_id"),
	                         request_query(rq, "provider_id")};
	list_of_all(rq, &APPEAL_LIST, filters, COUNT_OF(filters), &f);
}
