/* An evaluation request to plain arrays, with every problem by its pointer. The facts of one store are in store_read.c. */
#include "model/rules/evaluation_json.h"

#include "base/json_read.h"
#include "model/rules/store_read.h"
#include "model/rules/words.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_CHARS = 64 }; /* of an id, an industry, a category */

struct evaluation_request {
	struct evaluation_input input;
	json_t *source; /* owned; strings are borrowed from it */
	const struct policy *policies[EVALUATION_POLICIES]; /* in use: those of `source` and the owned ones */
	struct policy *owned[EVALUATION_POLICIES];
	struct exam_pass *exam_passes;
	struct store_facts facts;
};

struct reading {
	struct evaluation_request *out;
	const struct policy_source *source;
	struct faults *faults;
	bool no_memory;
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

size_t evaluation_policy_refs(const json_t *json, const char *refs[EVALUATION_POLICIES])
{
	const json_t *policies = json_object_get(json, "policies");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(policies) && n < EVALUATION_POLICIES; i++) {
		const char *ref = json_string_value(json_array_get(policies, i));

		if (ref && policy_ref_valid(ref))
			refs[n++] = ref;
	}
	return n;
}

/* ---- policies ---- */

static const struct policy *find_policy(const struct reading *r, const char *ref, const char *pointer)
{
	const struct policy *found = NULL;

	if (!policy_ref_valid(ref)) {
		faults_add(r->faults, pointer, CODE_WRONG_FORMAT, "id@version", NULL);
		return NULL;
	}
	if (r->source)
		found = r->source->find(r->source->arg, ref);
	if (!found)
		faults_add(r->faults, pointer, CODE_UNKNOWN_POLICY, ref, NULL);
	return found;
}

static const struct policy *read_policy(struct reading *r, size_t index, json_t *json, const char *pointer)
{
	if (json_is_string(json))
		return find_policy(r, json_string_value(json), pointer);
	if (!json_is_object(json)) {
		faults_add(r->faults, pointer, CODE_WRONG_TYPE, "string | object", NULL);
		return NULL;
	}
	size_t before = r->faults->total;
	struct policy *policy = policy_read(json, pointer, r->faults);
	if (!policy && r->faults->total == before)
		r->no_memory = true;
	r->out->owned[index] = policy;
	return policy;
}

static bool is_repeated(const struct reading *r, size_t index, const char *pointer)
{
	char earlier[FAULT_TEXT_MAX];

	for (size_t i = 0; i < index; i++) {
		if (r->out->policies[i] && strcmp(r->out->policies[i]->ref, r->out->policies[index]->ref) == 0) {
			faults_add(r->faults, pointer, CODE_GIVEN_TWICE,
			           json_pointer_at(earlier, sizeof earlier, "/policies", i), NULL);
			return true;
		}
	}
	return false;
}

static bool read_policies(struct reading *r, const json_t *array)
{
	char at[FAULT_TEXT_MAX];
	bool ok = true;
	size_t i;
	json_t *item;

	json_array_foreach(array, i, item)
	{
		(void)json_pointer_at(at, sizeof at, "/policies", i);
		r->out->policies[i] = read_policy(r, i, item, at);
		ok = r->out->policies[i] && !is_repeated(r, i, at) && ok;
	}
	r->out->input.policies = r->out->policies;
	r->out->input.policy_count = i;
	return ok;
}

/* One period has one length. */
static bool have_same_months(const struct reading *r)
{
	const struct evaluation_input *in = &r->out->input;
	int32_t months = in->policies[0]->stages[in->stage].months;
	char at[FAULT_TEXT_MAX];
	char mine[16];
	char first[16];
	bool ok = true;

	for (size_t i = 1; i < in->policy_count; i++) {
		if (in->policies[i]->stages[in->stage].months == months)
			continue;
		(void)snprintf(mine, sizeof mine, "%" PRId32, in->policies[i]->stages[in->stage].months);
		(void)snprintf(first, sizeof first, "%" PRId32, months);
		faults_add(r->faults, json_pointer_at(at, sizeof at, "/policies", i), CODE_MONTHS_DIFFER, mine, first, NULL);
		ok = false;
	}
	return ok;
}

/* ---- provider, passes ---- */

static bool read_provider(struct reading *r, const json_t *json)
{
	struct evaluation_input *in = &r->out->input;
	const char *code = NULL;
	const struct field fields[] = {
	        {"region", FIELD_STRING, &code, .required = true},
	        {"industry", FIELD_STRING, &in->provider_industry, .required = true, .min = 1, .max = WORD_CHARS},
	        {"main_category", FIELD_STRING, &in->provider_main_category, .required = true, .min = 1, .max = WORD_CHARS},
	};
	bool ok = json_fields(json, "/provider", fields, COUNT(fields), r->faults);

	return (!code || region_read(code, "/provider/region", &in->provider_region, r->faults)) && ok;
}

static bool read_exam_passes(struct reading *r, const json_t *array)
{
	char at[FAULT_TEXT_MAX];
	bool ok = true;
	size_t i;
	json_t *item;

	r->out->exam_passes = calloc(json_array_size(array) + 1, sizeof *r->out->exam_passes);
	if (!r->out->exam_passes) {
		r->no_memory = true;
		return false;
	}
	json_array_foreach(array, i, item)
	{
		struct exam_pass *pass = &r->out->exam_passes[i];
		const struct field fields[] = {
		        {"person_id", FIELD_STRING, &pass->person_id, .required = true, .min = 1, .max = WORD_CHARS},
		        {"passed_on", FIELD_DAY, &pass->passed_on, .required = true},
		};

		ok = json_fields(item, json_pointer_at(at, sizeof at, "/exam_passes", i), fields, COUNT(fields), r->faults) &&
		     ok;
	}
	r->out->input.exam_passes = r->out->exam_passes;
	r->out->input.exam_pass_count = json_array_size(array);
	return ok;
}

/* ---- stores ---- */

static bool read_stores(struct reading *r, const json_t *array)
{
	struct store_facts *facts = &r->out->facts;
	char at[FAULT_TEXT_MAX];
	bool ok = true;
	size_t i;
	json_t *item;

	if (!store_facts_init(facts, array)) {
		r->no_memory = true;
		return false;
	}
	json_array_foreach(array, i, item) ok =
	        store_read(facts, i, item, json_pointer_at(at, sizeof at, "/stores", i), r->faults) && ok;
	r->out->input.stores = facts->stores;
	r->out->input.store_count = facts->store_count;
	return stores_differ(facts, "/stores", r->faults) && ok;
}

/* A month's total is checked once it is known which day the evaluation is of. */
static bool months_may_stand(struct reading *r)
{
	const struct evaluation_input *in = &r->out->input;
	day end = period_end(in->start, in->policies[0]->stages[in->stage].months);
	day evaluated_on = in->as_of < end ? in->as_of : end;
	char at[FAULT_TEXT_MAX];
	bool ok = true;

	for (size_t i = 0; i < in->store_count; i++)
		ok = store_months_may_stand(&in->stores[i], json_pointer_at(at, sizeof at, "/stores", i), evaluated_on,
		                            r->faults) &&
		     ok;
	return ok;
}

/* ---- the whole ---- */

static bool read_stage(struct reading *r, const char *name)
{
	int stage = name ? word_read(name, "/stage", (const char *const[]){stage_name(STAGE_TRIAL), stage_name(STAGE_REGULAR)},
	                             STAGES, r->faults)
	                 : -1;

	if (stage >= 0)
		r->out->input.stage = (enum stage)stage;
	return stage >= 0;
}

static bool check_days(const struct reading *r, bool has_start, bool has_as_of)
{
	const struct evaluation_input *in = &r->out->input;
	char start[DAY_TEXT];
	char as_of[DAY_TEXT];
	bool ok = has_start && has_as_of;

	if (has_start && !day_is_month_start(in->start)) {
		faults_add(r->faults, "/period_start", CODE_NOT_A_MONTH_START, day_text(in->start, start), NULL);
		ok = false;
	}
	if (has_start && has_as_of && in->as_of < in->start) {
		faults_add(r->faults, "/as_of", CODE_MUST_BE_BEFORE, day_text(in->start, start), day_text(in->as_of, as_of),
		           NULL);
		ok = false;
	}
	return ok;
}

static bool read_request(struct reading *r)
{
	struct evaluation_input *in = &r->out->input;
	json_t *policies = NULL;
	json_t *provider = NULL;
	json_t *passes = NULL;
	json_t *stores = NULL;
	const char *stage = NULL;
	bool has_start = false;
	bool has_as_of = false;
	const struct field fields[] = {
	        {"policies", FIELD_ARRAY, &policies, .required = true, .min = 1, .max = EVALUATION_POLICIES},
	        {"stage", FIELD_STRING, &stage, .required = true},
	        {"period_start", FIELD_DAY, &in->start, .required = true, .present = &has_start},
	        {"as_of", FIELD_DAY, &in->as_of, .required = true, .present = &has_as_of},
	        {"provider", FIELD_OBJECT, &provider, .required = true},
	        {"exam_passes", FIELD_ARRAY, &passes, .required = false},
	        {"stores", FIELD_ARRAY, &stores, .required = true},
	};
	bool ok = json_fields(r->out->source, "", fields, COUNT(fields), r->faults);
	bool head = read_stage(r, stage);

	head = policies && read_policies(r, policies) && head;
	head = head && have_same_months(r);
	head = check_days(r, has_start, has_as_of) && head;
	ok = provider && read_provider(r, provider) && ok;
	ok = (!passes || read_exam_passes(r, passes)) && ok;
	ok = stores && read_stores(r, stores) && ok;
	return (!head || r->no_memory || months_may_stand(r)) && head && ok;
}

struct evaluation_request *evaluation_request_read(json_t *json, const struct policy_source *source, struct faults *faults)
{
	struct reading r = {.source = source, .faults = faults};

	r.out = calloc(1, sizeof *r.out);
	if (!r.out)
		return NULL;
	r.out->source = json_incref(json);
	if (!read_request(&r)) {
		assert(r.no_memory || faults_any(faults));
		evaluation_request_free(r.out);
		return NULL;
	}
	return r.out;
}

void evaluation_request_free(struct evaluation_request *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < EVALUATION_POLICIES; i++)
		policy_free(r->owned[i]);
	store_facts_free(&r->facts);
	free(r->exam_passes);
	json_decref(r->source);
	free(r);
}

const struct evaluation_input *evaluation_request_input(const struct evaluation_request *r)
{
	return &r->input;
}

bool evaluation_run(const struct evaluation_input *in, struct evaluation *out, struct faults *faults)
{
	enum evaluation_status status = evaluate(in, out);
	char most[24];

	assert(status != EVALUATION_INVALID); /* whoever made the input has checked it */
	if (status == EVALUATION_OUT_OF_RANGE) {
		(void)snprintf(most, sizeof most, "%" PRId64, INT64_MAX);
		faults_add(faults, "/stores", CODE_NUMBER_OUT_OF_RANGE, "0", most, NULL);
	}
	return status == EVALUATION_OK;
}
