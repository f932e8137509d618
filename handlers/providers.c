/* Providers: register, read, list. */
#include "model/store/providers.h"

#include "base/utf8.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "model/rules/credit_code.h"
#include "model/rules/lifecycle.h"

#include <string.h>

static void check_credit_code(const char *code, struct faults *f)
{
	switch (code ? credit_code_check(code) : CREDIT_CODE_OK) {
	case CREDIT_CODE_OK:
		break;
	case CREDIT_CODE_BAD_FORMAT:
		faults_add(f, "/credit_code", CODE_WRONG_FORMAT, "GB 32100-2015", NULL);
		break;
	case CREDIT_CODE_BAD_CHECK:
		faults_add(f, "/credit_code", CODE_BAD_CHECK_CHARACTER, code, NULL);
		break;
	}
}

void handle_provider_register(struct request *rq)
{
	const char *credit_code = NULL, *name = NULL, *region = NULL, *industry = NULL, *main_category = NULL;
	json_t *categories = NULL, *contact = NULL;
	const struct field fields[] = {
	        {.name = "credit_code", .kind = FIELD_STRING, .out = &credit_code, .required = true},
	        {.name = "name", .kind = FIELD_STRING, .out = &name, .required = true, .min = 1, .max = 200},
	        {.name = "service_categories", .kind = FIELD_ARRAY, .out = &categories, .required = true, .min = 1, .max = 2},
	        {.name = "region", .kind = FIELD_STRING, .out = &region, .required = true},
	        {.name = "industry", .kind = FIELD_STRING, .out = &industry, .required = true},
	        {.name = "main_category", .kind = FIELD_STRING, .out = &main_category, .required = true},
	        {.name = "contact", .kind = FIELD_OBJECT, .out = &contact, .nullable = true},
	};
	FAULTS_HERE(f);
	(void)!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f);
	check_credit_code(credit_code, &f);
	check_service_categories(categories, "/service_categories", &f);
	check_region(region, "/region", &f);
	check_word(industry, "/industry", &f);
	check_word(main_category, "/main_category", &f);
	check_contact(contact, "/contact", &f);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else
		request_write(rq, "provider_register", json_incref(request_body(rq)));
}

static void provider_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, 1);
	reply_etag(rq, rows_text(rows, 0, 2));
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_provider_get(struct request *rq)
{
	const char *id = request_param(rq, "id");
	if (request_may_see(rq, id))
		request_read_key(rq, &PROVIDER_BY_ID, id, provider_reply);
	else
		reply_not_found(rq);
}

static const char *query_text(struct request *rq, const char *name, size_t max, struct faults *f)
{
	const char *text = request_query(rq, name);
	if (!text)
		return NULL;
	if (text[0] == '\0')
		faults_add(f, name, CODE_TOO_SHORT, "1", NULL);
	else if (utf8_count(text, strlen(text)) > max)
		faults_add(f, name, CODE_TOO_LONG, request_printf(rq, "%zu", max), NULL);
	return text;
}

void handle_provider_list(struct request *rq)
{
	const char *statuses[PROVIDER_STATUSES + 1] = {NULL};
	for (int s = 0; s < PROVIDER_STATUSES; s++)
		statuses[s] = provider_status_name((enum provider_status)s);
	const char *status = NULL, *region = request_query(rq, "region"), *industry = request_query(rq, "industry");
	FAULTS_HERE(f);
	(void)request_query_word(rq, "status", statuses, &status, &f);
	check_region(region, "region", &f);
	check_word(industry, "industry", &f);
	const char *q = query_text(rq, "q", 100, &f);
	const char *filters[] = {whose_alone(rq), status, region, industry, q};
	list_of_all(rq, &PROVIDER_LIST, filters, COUNT_OF(filters), &f);
}
