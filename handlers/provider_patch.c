/* PATCH of a provider: JSON Merge Patch (RFC 7396) under If-Match. */
#include "handlers/handlers.h"
#include "handlers/input.h"

#include <string.h>

static bool check_patch(const struct request *rq, struct faults *f)
{
	const char *name = NULL, *region = NULL, *industry = NULL, *main_category = NULL;
	json_t *categories = NULL, *contact = NULL;
	const struct field fields[] = {
	        {.name = "name", .kind = FIELD_STRING, .out = &name, .min = 1, .max = 200},
	        {.name = "service_categories", .kind = FIELD_ARRAY, .out = &categories, .min = 1, .max = 2},
	        {.name = "region", .kind = FIELD_STRING, .out = &region},
	        {.name = "industry", .kind = FIELD_STRING, .out = &industry},
	        {.name = "main_category", .kind = FIELD_STRING, .out = &main_category},
	        {.name = "contact", .kind = FIELD_OBJECT, .out = &contact, .nullable = true},
	};
	if (json_is_object(request_body(rq)) && json_object_size(request_body(rq)) == 0)
		faults_add(f, "", CODE_TOO_SHORT, "1", NULL);
	(void)!json_fields(request_body(rq), "", fields, COUNT_OF(fields), f);
	check_service_categories(categories, "/service_categories", f);
	check_region(region, "/region", f);
	check_word(industry, "/industry", f);
	check_word(main_category, "/main_category", f);
	check_contact(contact, "/contact", f);
	return !faults_any(f);
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

void handle_provider_patch(struct request *rq)
{
	const char *header = request_header(rq, "If-Match");
	if (!header) {
		reply_problem(rq, CODE_PRECONDITION_REQUIRED, NULL, 0);
		return;
	}
	json_t *if_match = read_if_match(header);
	FAULTS_HERE(f);
	if (!if_match)
		faults_add(&f, "If-Match", CODE_WRONG_FORMAT, "\"v1\"", NULL);
	if (!check_patch(rq, &f)) {
		json_decref(if_match);
		reply_faults(rq, &f);
		return;
	}
	request_write(rq, "provider_patch",
	              json_pack("{s:s, s:o, s:O}", "provider_id", request_param(rq, "id"), "if_match", if_match, "patch",
	                        request_body(rq)));
}
