#include "model/rules/policy.h"

#include "base/json_read.h"
#include "model/rules/words.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COOLDOWN_DAYS = 180, COOLDOWN_DAYS_MAX = 3660, REPEAT_MONTHS = 6, REPEAT_MONTHS_MAX = 120, STAGE_MONTHS = 3 };

static const char *const stage_names[STAGES] = {"trial", "regular"};
static const char *const store_status_names[STORE_STATUSES] = {"normal", "suspended", "closing", "closed"};
static const char *const category_names[SERVICE_CATEGORIES] = {"practical_assistance", "mall"};
static const char *const scope_names[] = {"provider", "any"};
static const char *const window_names[] = {"period", "since_binding"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- vocabularies ---- */

const char *stage_name(enum stage s)
{
	return stage_names[s];
}

bool stage_by_name(const char *name, enum stage *out)
{
	int i = word_index(stage_names, STAGES, name);

	if (i >= 0)
		*out = (enum stage)i;
	return i >= 0;
}

const char *store_status_name(enum store_status s)
{
	return store_status_names[s];
}

bool store_status_by_name(const char *name, enum store_status *out)
{
	int i = word_index(store_status_names, STORE_STATUSES, name);

	if (i >= 0)
		*out = (enum store_status)i;
	return i >= 0;
}

const char *service_category_name(enum service_category c)
{
	return category_names[c];
}

bool service_category_by_name(const char *name, enum service_category *out)
{
	int i = word_index(category_names, SERVICE_CATEGORIES, name);

	if (i >= 0)
		*out = (enum service_category)i;
	return i >= 0;
}

const char *repeat_scope_name(enum repeat_scope s)
{
	return scope_names[s];
}

const char *gmv_window_name(enum gmv_window w)
{
	return window_names[w];
}

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The first n characters are of `alphabet` and begin with a letter or digit. */
static bool is_name(const char *text, size_t n, size_t max, const char *alphabet)
{
	return n > 0 && n <= max && strspn(text, alphabet) >= n && text[0] != '-' && text[0] != '.';
}

static bool id_valid(const char *text, size_t n)
{
	return is_name(text, n, POLICY_WORD_MAX, LOWER DIGITS "-");
}

bool policy_id_valid(const char *text)
{
	return id_valid(text, strlen(text));
}

bool policy_version_valid(const char *text)
{
	return is_name(text, strlen(text), POLICY_VERSION_MAX, LOWER UPPER DIGITS ".-");
}

bool policy_ref_valid(const char *text)
{
	const char *at = strchr(text, '@');

	return at && id_valid(text, (size_t)(at - text)) && policy_version_valid(at + 1);
}

/* ---- reading ---- */

/* Where a part is read: its pointer, and where faults go. */
struct place {
	const char *pointer;
	struct faults *faults;
};

static bool read_name(const struct place *p, const char *member, const char *text, bool (*valid)(const char *),
                      const char *form)
{
	char at[FAULT_TEXT_MAX];

	if (!text || valid(text))
		return text != NULL;
	faults_add(p->faults, json_pointer(at, sizeof at, p->pointer, member), CODE_WRONG_FORMAT, form, NULL);
	return false;
}

static const char word_form[] = "[a-z][a-z0-9_]{0,63}";

static bool read_document(const json_t *item, const char *pointer, struct admission_policy *a, struct faults *faults)
{
	const char *kind = json_string_value(item);

	if (!kind || !word_valid(kind)) {
		faults_add(faults, pointer, kind ? CODE_WRONG_FORMAT : CODE_WRONG_TYPE, kind ? word_form : "string", NULL);
		return false;
	}
	for (size_t i = 0; i < a->document_count; i++) {
		if (strcmp(a->documents[i], kind) == 0) {
			faults_add(faults, pointer, CODE_DUPLICATE, kind, NULL);
			return false;
		}
	}
	a->documents[a->document_count++] = kind;
	return true;
}

static bool read_documents(const struct place *p, const json_t *documents, struct admission_policy *a)
{
	char list[FAULT_TEXT_MAX];
	char at[FAULT_TEXT_MAX];
	bool ok = true;
	size_t i;
	json_t *item;

	(void)json_pointer(list, sizeof list, p->pointer, "documents");
	json_array_foreach(documents, i, item) ok =
	        read_document(item, json_pointer_at(at, sizeof at, list, i), a, p->faults) && ok;
	return ok;
}

static bool read_admission(const json_t *json, const struct place *p, struct admission_policy *a)
{
	json_t *categories = NULL;
	json_t *documents = NULL;
	int64_t reapply = COOLDOWN_DAYS;
	int64_t trial_failed = 0;
	int64_t deposit_due = 0;
	int64_t refund_request = 0;
	char at[FAULT_TEXT_MAX];
	const struct field fields[] = {
	        {"service_categories", FIELD_ARRAY, &categories, .min = 1, .max = INT64_MAX},
	        {"deposit_fen", FIELD_INT, &a->deposit_fen, .nullable = true, .present = &a->deposit_configured, .min = 0,
	         .max = FIGURE_MAX},
	        {"documents", FIELD_ARRAY, &documents, .nullable = true, .present = &a->documents_configured, .min = 0,
	         .max = POLICY_DOCUMENTS_MAX},
	        {"reapply_cooldown_days", FIELD_INT, &reapply, .min = 0, .max = COOLDOWN_DAYS_MAX},
	        {"trial_failed_cooldown_days", FIELD_INT, &trial_failed, .min = 0, .max = COOLDOWN_DAYS_MAX},
	        {"deposit_due_days", FIELD_INT, &deposit_due, .nullable = true, .present = &a->deposit_due_configured, .min = 0,
	         .max = COOLDOWN_DAYS_MAX},
	        {"refund_request_days", FIELD_INT, &refund_request, .nullable = true, .present = &a->refund_request_configured,
	         .min = 0, .max = COOLDOWN_DAYS_MAX},
	};
	bool ok = json_fields(json, p->pointer, fields, COUNT(fields), p->faults);

	a->reapply_cooldown_days = (int32_t)reapply;
	a->trial_failed_cooldown_days = (int32_t)trial_failed;
	a->deposit_due_days = (int32_t)deposit_due;
	a->refund_request_days = (int32_t)refund_request;
	if (categories)
		ok = word_set_read(categories, json_pointer(at, sizeof at, p->pointer, "service_categories"), category_names,
		                   SERVICE_CATEGORIES, &a->service_categories, p->faults) &&
		     ok;
	return (!documents || read_documents(p, documents, a)) && ok;
}

/* An enum's word; `out` is left when it was absent. */
static bool read_choice(const struct place *p, const char *member, const char *text, const char *const *words, int n, int *out)
{
	char at[FAULT_TEXT_MAX];
	int i = text ? word_read(text, json_pointer(at, sizeof at, p->pointer, member), words, n, p->faults) : *out;

	if (i >= 0)
		*out = i;
	return i >= 0;
}

static bool read_counting(const json_t *json, const struct place *p, struct counting_policy *c)
{
	int64_t window = c->repeat_window_months;
	const char *scope = NULL;
	const char *gmv = NULL;
	int scope_word = (int)c->repeat_scope;
	int gmv_word = (int)c->gmv_window;
	json_t *statuses = NULL;
	char at[FAULT_TEXT_MAX];
	const struct field fields[] = {
	        {"repeat_window_months", FIELD_INT, &window, .min = 0, .max = REPEAT_MONTHS_MAX},
	        {"repeat_scope", FIELD_STRING, &scope, .required = false},
	        {"store_statuses", FIELD_ARRAY, &statuses, .min = 1, .max = INT64_MAX},
	        {"require_bound_at_evaluation", FIELD_BOOL, &c->require_bound_at_evaluation, .required = false},
	        {"gmv_window", FIELD_STRING, &gmv, .required = false},
	};
	bool ok = json_fields(json, p->pointer, fields, COUNT(fields), p->faults);

	ok = read_choice(p, "repeat_scope", scope, scope_names, COUNT(scope_names), &scope_word) && ok;
	ok = read_choice(p, "gmv_window", gmv, window_names, COUNT(window_names), &gmv_word) && ok;
	if (statuses)
		ok = word_set_read(statuses, json_pointer(at, sizeof at, p->pointer, "store_statuses"), store_status_names,
		                   STORE_STATUSES, &c->store_statuses, p->faults) &&
		     ok;
	c->repeat_window_months = (int32_t)window;
	c->repeat_scope = (enum repeat_scope)scope_word;
	c->gmv_window = (enum gmv_window)gmv_word;
	return ok;
}

static bool read_stage(const json_t *json, const struct place *p, struct stage_policy *s)
{
	int64_t months = STAGE_MONTHS;
	json_t *requires = NULL;
	char at[FAULT_TEXT_MAX];
	const struct field fields[] = {
	        {"months", FIELD_INT, &months, .min = 1, .max = POLICY_MONTHS_MAX},
	        {"requires", FIELD_OBJECT, &requires, .required = true},
	};
	bool ok = json_fields(json, p->pointer, fields, COUNT(fields), p->faults);

	s->months = (int32_t)months;
	return requires &&
	       requirement_read(requires, json_pointer(at, sizeof at, p->pointer, "requires"), &s->requires, p->faults) && ok;
}

/* The members that are objects, each by its own reader. NULL: absent (and said so where it is required). */
struct parts {
	json_t *admission, *counting, *decisions, *stages[STAGES];
};

static bool read_parts(const struct parts *parts, const struct place *p, struct policy *policy)
{
	char at[FAULT_TEXT_MAX];
	const struct place inner = {at, p->faults};
	bool ok = true;

	(void)json_pointer(at, sizeof at, p->pointer, "admission");
	if (parts->admission)
		ok = read_admission(parts->admission, &inner, &policy->admission);
	(void)json_pointer(at, sizeof at, p->pointer, "counting");
	if (parts->counting)
		ok = read_counting(parts->counting, &inner, &policy->counting) && ok;
	ok = decisions_policy_read(parts->decisions, json_pointer(at, sizeof at, p->pointer, "decisions"), &policy->decisions, p->faults) && ok;
	for (int s = 0; s < STAGES; s++) {
		(void)json_pointer(at, sizeof at, p->pointer, stage_names[s]);
		if (parts->stages[s])
			ok = read_stage(parts->stages[s], &inner, &policy->stages[s]) && ok;
	}
	return ok;
}

static bool read_policy(const json_t *json, const struct place *p, struct policy *policy)
{
	struct parts parts = {0};
	const struct field fields[] = {
	        {"policy_id", FIELD_STRING, &policy->policy_id, .required = true},
	        {"version", FIELD_STRING, &policy->version, .required = true},
	        {"effective_from", FIELD_DAY, &policy->effective_from, .required = true},
	        {"industry", FIELD_STRING, &policy->industry, .required = true},
	        {"example", FIELD_BOOL, &policy->example, .required = false},
	        {"admission", FIELD_OBJECT, &parts.admission, .required = true},
	        {"counting", FIELD_OBJECT, &parts.counting, .required = false},
	        {"decisions", FIELD_OBJECT, &parts.decisions, .required = false},
	        {"trial", FIELD_OBJECT, &parts.stages[STAGE_TRIAL], .required = true},
	        {"regular", FIELD_OBJECT, &parts.stages[STAGE_REGULAR], .required = true},
	};
	bool ok = json_fields(json, p->pointer, fields, COUNT(fields), p->faults);

	ok = read_name(p, "policy_id", policy->policy_id, policy_id_valid, "[a-z0-9][a-z0-9-]{0,63}") && ok;
	ok = read_name(p, "version", policy->version, policy_version_valid, "[0-9A-Za-z][0-9A-Za-z.-]{0,31}") && ok;
	ok = read_name(p, "industry", policy->industry, word_valid, word_form) && ok;
	return read_parts(&parts, p, policy) && ok;
}

struct policy *policy_read(json_t *json, const char *pointer, struct faults *faults)
{
	struct policy *policy = calloc(1, sizeof *policy);
	const struct place place = {pointer, faults};

	if (!policy)
		return NULL;
	policy->source = json_incref(json);
	policy->admission.service_categories = 1U << SERVICE_PRACTICAL_ASSISTANCE;
	policy->counting = (struct counting_policy){
	        .repeat_window_months = REPEAT_MONTHS,
	        .repeat_scope = REPEAT_PROVIDER,
	        .store_statuses = 1U << STORE_NORMAL,
	        .require_bound_at_evaluation = true,
	        .gmv_window = GMV_PERIOD,
	};
	if (!read_policy(json, &place, policy)) {
		policy_free(policy);
		return NULL;
	}
	int length = snprintf(policy->ref, sizeof policy->ref, "%s@%s", policy->policy_id, policy->version);
	assert(length > 0 && (size_t)length < sizeof policy->ref);
	(void)length;
	return policy;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	json_decref(p->source);
	free(p);
}
