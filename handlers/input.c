#include "handlers/input.h"

#include "model/rules/policy.h"
#include "model/rules/region.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void check_word(const char *value, const char *pointer, struct faults *f)
{
	if (!value)
		return;
	size_t len = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (value[len] || len == 0 || len > POLICY_WORD_MAX || value[0] < 'a')
		faults_add(f, pointer, CODE_WRONG_FORMAT, "[a-z][a-z0-9_]{0,63}", NULL);
}

void check_region(const char *value, const char *pointer, struct faults *f)
{
	region parsed;
	if (value && !region_parse(value, &parsed))
		faults_add(f, pointer, CODE_WRONG_FORMAT, "GB/T 2260, 6 digits", NULL);
}

void check_sha256(const char *value, const char *pointer, struct faults *f)
{
	if (value && (strlen(value) != 64 || strspn(value, "0123456789abcdef") != 64))
		faults_add(f, pointer, CODE_WRONG_FORMAT, "[0-9a-f]{64}", NULL);
}

void check_service_categories(const json_t *array, const char *pointer, struct faults *f)
{
	unsigned seen = 0;
	for (size_t i = 0; array && i < json_array_size(array); i++) {
		char at[64];
		const char *name = json_string_value(json_array_get(array, i));
		enum service_category c;
		json_pointer_at(at, sizeof at, pointer, i);
		if (!name)
			faults_add(f, at, CODE_WRONG_TYPE, "string", NULL);
		else if (!service_category_by_name(name, &c))
			faults_add(f, at, CODE_INVALID_VALUE, name, "practical_assistance, mall", NULL);
		else if (seen & 1u << c)
			faults_add(f, at, CODE_DUPLICATE, name, NULL);
		else
			seen |= 1u << c;
	}
}

static void check_document(const json_t *document, const char *pointer, struct faults *f)
{
	const char *kind = NULL, *name = NULL, *sha256 = NULL, *uri = NULL;
	const struct field fields[] = {
	        {.name = "kind", .kind = FIELD_STRING, .out = &kind, .required = true},
	        {.name = "name", .kind = FIELD_STRING, .out = &name, .required = true, .min = 1, .max = 200},
	        {.name = "sha256", .kind = FIELD_STRING, .out = &sha256, .required = true},
	        {.name = "uri", .kind = FIELD_STRING, .out = &uri, .required = true, .min = 1, .max = 2000},
	};
	char at[128];
	(void)!json_fields(document, pointer, fields, COUNT_OF(fields), f);
	check_word(kind, json_pointer(at, sizeof at, pointer, "kind"), f);
	check_sha256(sha256, json_pointer(at, sizeof at, pointer, "sha256"), f);
}

void check_documents(const json_t *array, const char *pointer, struct faults *f)
{
	for (size_t i = 0; array && i < json_array_size(array); i++) {
		char at[64];
		check_document(json_array_get(array, i), json_pointer_at(at, sizeof at, pointer, i), f);
	}
}

void check_contact(const json_t *contact, const char *pointer, struct faults *f)
{
	const char *name, *phone, *email;
	const struct field fields[] = {
	        {.name = "name", .kind = FIELD_STRING, .out = &name, .nullable = true, .min = 1, .max = 100},
	        {.name = "phone", .kind = FIELD_STRING, .out = &phone, .nullable = true, .min = 1, .max = 40},
	        {.name = "email", .kind = FIELD_STRING, .out = &email, .nullable = true, .min = 1, .max = 254},
	};
	if (contact && !json_is_null(contact))
		(void)!json_fields(contact, pointer, fields, COUNT_OF(fields),
		                   f); /* for its faults; the values stay in the tree */
}

void query_span(struct request *rq, const char **from, const char **through, struct faults *f)
{
	int32_t from_day, through_day;
	*from = request_query_day(rq, "from", &from_day, f) ? request_query(rq, "from") : NULL;
	*through = request_query_day(rq, "through", &through_day, f) ? request_query(rq, "through") : NULL;
	if (*from && *through && from_day > through_day)
		faults_add(f, "from", CODE_MUST_BE_BEFORE, *from, *through, NULL);
}

const char *whose_alone(const struct request *rq)
{
	const struct caller *caller = request_caller(rq);
	return caller->role != ROLE_PARTNER ? NULL : caller->provider_id ? caller->provider_id : "";
}

void refuse(struct request *rq, enum code code, ...)
{
	const char *args[FAULT_ARGS];
	size_t n = 0;
	va_list list;
	va_start(list, code);
	for (const char *arg = va_arg(list, const char *); arg && n < FAULT_ARGS; arg = va_arg(list, const char *))
		args[n++] = arg;
	va_end(list);
	request_refuse(rq, code, args, n, NULL);
}

json_t *args_with_id(const struct request *rq, const char *name)
{
	json_t *args = json_copy(request_body(rq));
	json_object_set_new(args, name, json_string(request_param(rq, "id")));
	return args;
}

/* `"v3", "v4"` as an array of the tags without their quotes, `*` as null. A weak tag never matches (RFC 9110, 13.1.1) and is
 * left out. NULL: not of that form. */
static json_t *read_if_match(const char *header)
{
	const char *at = header + strspn(header, " \t");
	if (at[0] == '*' && at[1 + strspn(at + 1, " \t")] == '\0')
		return json_null();
	json_t *tags = json_array();
	while (*at) {
		bool weak = strncmp(at, "W/", 2) == 0;
		at += weak ? 2 : 0;
		const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
		if (!end)
			break;
		if (!weak)
			(void)json_array_append_new(tags,
			                            json_stringn(at + 1, (size_t)(end - at - 1))); /* not UTF-8: never ours */
		at = end + 1 + strspn(end + 1, " \t");
		if (*at != ',')
			break;
		at += 1 + strspn(at + 1, " \t");
	}
	if (*at == '\0')
		return tags;
	json_decref(tags);
	return NULL;
}

json_t *if_match_read(const struct request *rq, struct faults *f)
{
	const char *header = request_header(rq, "If-Match");
	json_t *tags = header ? read_if_match(header) : json_null();
	if (!tags)
		faults_add(f, "If-Match", CODE_WRONG_FORMAT, "\"v1\"", NULL);
	return tags;
}

bool if_match_required(struct request *rq, json_t **tags, struct faults *f)
{
	if (!request_header(rq, "If-Match")) {
		reply_problem(rq, CODE_PRECONDITION_REQUIRED, NULL, 0);
		return false;
	}
	*tags = if_match_read(rq, f);
	return true;
}

json_t *json_as_text(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	json_t *string = text ? json_string(text) : NULL;
	free(text);
	return string;
}

const char *list_whose(const struct request *rq)
{
	const struct caller *caller = request_caller(rq);
	if (caller->role != ROLE_PARTNER)
		return NULL;
	return caller->provider_id ? caller->provider_id : "";
}
