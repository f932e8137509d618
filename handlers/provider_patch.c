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

void handle_provider_patch(struct request *rq)
{
	FAULTS_HERE(f);
	json_t *if_match;
	if (!if_match_required(rq, &if_match, &f))
		return;
	if (!check_patch(rq, &f)) {
		json_decref(if_match);
		reply_faults(rq, &f);
		return;
	}
	request_write(rq, "provider_patch",
	              json_pack("{s:s, s:o, s:O}", "provider_id", request_param(rq, "id"), "if_match", if_match, "patch",
	                        request_body(rq)));
}
