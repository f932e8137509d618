/* Refunds (5): asked for by one person, approved by another, then settled or failed; what is asked for is held meanwhile. */
#include "model/store/refunds.h"

#include "handlers/handlers.h"
#include "handlers/input.h"
#include "model/rules/money.h"

#include <string.h>

enum { ONE_PROVIDER = 1, ONE_BODY, ONE_ETAG };

static const char *const STATUSES[] = {"requested", "approved", "settled", "failed", "expired", "cancelled", NULL};

/* Writes when the body is of these fields; else says what is wrong with it. */
static void write_checked(struct request *rq, const struct field *fields, size_t n, const char *op, const char *id_name)
{
	FAULTS_HERE(f);
	if (json_fields(request_body(rq), "", fields, n, &f))
		request_write(rq, op, args_with_id(rq, id_name));
	else
		reply_faults(rq, &f);
}

void handle_refund_request(struct request *rq)
{
	const char *reason = NULL;
	int64_t amount_fen;
	const struct field fields[] = {
	        {.name = "amount_fen", .kind = FIELD_INT, .out = &amount_fen, .min = 1, .max = FIGURE_MAX},
	        {.name = "reason", .kind = FIELD_STRING, .out = &reason, .required = true, .min = 1, .max = 1000},
	};
	write_checked(rq, fields, COUNT_OF(fields), "refund_request", "provider_id");
}

void handle_refund_approve(struct request *rq)
{
	const char *note = NULL;
	int64_t amount_fen, version;
	const struct field fields[] = {
	        {.name = "amount_fen", .kind = FIELD_INT, .out = &amount_fen, .min = 1, .max = FIGURE_MAX},
	        {.name = "version", .kind = FIELD_INT, .out = &version, .min = 1, .max = FIGURE_MAX},
	        {.name = "note", .kind = FIELD_STRING, .out = &note, .min = 1, .max = 1000},
	};
	write_checked(rq, fields, COUNT_OF(fields), "refund_approve", "refund_id");
}

void handle_refund_settle(struct request *rq)
{
	const char *reference = NULL, *note = NULL;
	const struct field fields[] = {
	        {.name = "external_reference", .kind = FIELD_STRING, .out = &reference, .min = 1, .max = 200},
	        {.name = "note", .kind = FIELD_STRING, .out = &note, .min = 1, .max = 1000},
	};
	write_checked(rq, fields, COUNT_OF(fields), "refund_settle", "refund_id");
}

void handle_refund_fail(struct request *rq)
{
	const char *note = NULL;
	const struct field fields[] = {{.name = "note", .kind = FIELD_STRING, .out = &note, .min = 1, .max = 1000}};
	write_checked(rq, fields, COUNT_OF(fields), "refund_fail", "refund_id");
}

static void refund_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0 || !request_may_see(rq, rows_text(rows, 0, ONE_PROVIDER))) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, ONE_BODY);
	reply_etag(rq, rows_text(rows, 0, ONE_ETAG));
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_refund_get(struct request *rq)
{
	request_read_key(rq, &REFUND_BY_ID, request_param(rq, "id"), refund_reply);
}

void handle_refund_list(struct request *rq)
{
	const char *status = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "status", STATUSES, &status, &f);
	const char *filters[] = {status};
	list_of_provider(rq, &REFUND_LIST, filters, COUNT_OF(filters), &f);
}
