/* Waivers of the cool-down (5): one person proposes, another confirms, either takes back; each has a last day. */
#include "model/store/waivers.h"

#include "base/civil.h"
#include "handlers/handlers.h"
#include "handlers/input.h"

#include <string.h>

enum { TEXT_MAX = 1000 };

static void check_kind(const char *kind, struct faults *f)
{
	if (kind && strcmp(kind, "cooldown") != 0)
		faults_add(f, "/kind", CODE_INVALID_VALUE, kind, "cooldown", NULL);
}

void handle_waiver_propose(struct request *rq)
{
	const char *kind = NULL, *reason = NULL;
	int32_t expires_on;
	const struct field fields[] = {
	        {.name = "kind", .kind = FIELD_STRING, .out = &kind, .required = true},
	        {.name = "reason", .kind = FIELD_STRING, .out = &reason, .required = true, .min = 1, .max = TEXT_MAX},
	        {.name = "expires_on", .kind = FIELD_DAY, .out = &expires_on, .required = true},
	};
	FAULTS_HERE(f);
	(void)!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f);
	check_kind(kind, &f);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else
		request_write(rq, "waiver_propose", args_with_id(rq, "provider_id"));
}

static void decide(struct request *rq, const char *member, bool required, const char *op)
{
	const char *text = NULL;
	const struct field fields[] = {
	        {.name = member, .kind = FIELD_STRING, .out = &text, .required = required, .min = 1, .max = TEXT_MAX}};
	FAULTS_HERE(f);
	if (json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f))
		request_write(rq, op, args_with_id(rq, "waiver_id"));
	else
		reply_faults(rq, &f);
}

void handle_waiver_confirm(struct request *rq)
{
	decide(rq, "note", false, "waiver_confirm");
}

void handle_waiver_revoke(struct request *rq)
{
	decide(rq, "reason", true, "waiver_revoke");
}

static void waiver_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0 || !request_may_see(rq, rows_text(rows, 0, 1))) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, 2);
	reply_etag(rq, rows_text(rows, 0, 3));
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_waiver_get(struct request *rq)
{
	request_read_key(rq, &WAIVER_BY_ID, request_param(rq, "id"), waiver_reply);
}

void handle_waiver_list(struct request *rq)
{
	static const char *const statuses[] = {"proposed", "active", "expired", "revoked", NULL};
	const char *status = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "status", statuses, &status, &f);
	const char *filters[] = {status};
	list_of_provider(rq, &WAIVER_LIST, filters, COUNT_OF(filters), &f);
}
