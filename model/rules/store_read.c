#include "model/rules/store_read.h"

#include "base/json_read.h"
#include "model/rules/store_keys.h"
#include "model/rules/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- memory ---- */

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

bool store_facts_init(struct store_facts *facts, const json_t *array)
{
	size_t bindings = 0;
	size_t regions = 0;
	size_t days = 0;
	size_t months = 0;
	size_t longest = json_array_size(array);

	*facts = (struct store_facts){0};
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *store = json_array_get(array, i);
		size_t own_bindings = json_array_size(json_object_get(store, "bindings"));
		size_t own_days = json_array_size(json_object_get(store, "days"));
		size_t own_months = json_array_size(json_object_get(store, "months"));

		bindings += own_bindings;
		days += own_days;
		months += own_months;
		regions += json_array_size(json_object_get(store, "ship_from_regions"));
		longest = larger(longest, larger(own_bindings, larger(own_days, own_months)));
	}
	/* one more of each, so that nothing is of size 0 */
	facts->stores = calloc(json_array_size(array) + 1, sizeof *facts->stores);
	facts->bindings = calloc(bindings + 1, sizeof *facts->bindings);
	facts->regions = calloc(regions + 1, sizeof *facts->regions);
	facts->days = calloc(days + 1, sizeof *facts->days);
	facts->months = calloc(months + 1, sizeof *facts->months);
	facts->keys = calloc(longest + 1, sizeof *facts->keys);
	return facts->stores && facts->bindings && facts->regions && facts->days && facts->months && facts->keys;
}

void store_facts_free(struct store_facts *facts)
{
	free(facts->stores);
	free(facts->bindings);
	free(facts->regions);
	free(facts->days);
	free(facts->months);
	free(facts->keys);
	*facts = (struct store_facts){0};
}

/* ---- the lists of one store ---- */

/* Where a list is read: its pointer, and where faults go. */
struct place {
	const char *pointer;
	struct faults *faults;
};

bool region_read(const char *text, const char *pointer, region *out, struct faults *faults)
{
	if (region_parse(text, out))
		return true;
	faults_add(faults, pointer, CODE_WRONG_FORMAT, "GB/T 2260", NULL);
	return false;
}

static bool read_region(struct store_facts *facts, const json_t *json, const struct place *p)
{
	if (json_is_string(json))
		return region_read(json_string_value(json), p->pointer, &facts->regions[facts->region_count++], p->faults);
	faults_add(p->faults, p->pointer, CODE_WRONG_TYPE, "string", NULL);
	return false;
}

static bool read_regions(struct store_facts *facts, const json_t *array, const struct place *p)
{
	char at[FAULT_TEXT_MAX];
	const struct place inner = {at, p->faults};
	bool ok = true;

	for (size_t i = 0; i < json_array_size(array); i++) {
		(void)json_pointer_at(at, sizeof at, p->pointer, i);
		ok = read_region(facts, json_array_get(array, i), &inner) && ok;
	}
	return ok;
}

static bool read_binding(struct binding *b, const json_t *json, const struct place *p)
{
	static const char *const by_words[] = {"self", "other"};
	const char *by = NULL;
	char at[FAULT_TEXT_MAX];
	char bound[DAY_TEXT];
	char unbound[DAY_TEXT];
	const struct field fields[] = {
	        {"by", FIELD_STRING, &by, .required = true},
	        {"bound_on", FIELD_DAY, &b->bound_on, .required = true},
	        {"unbound_on", FIELD_DAY, &b->unbound_on, .nullable = true},
	};

	b->unbound_on = DAY_NONE;
	bool ok = json_fields(json, p->pointer, fields, COUNT(fields), p->faults);
	int word = by ? word_read(by, json_pointer(at, sizeof at, p->pointer, "by"), by_words, COUNT(by_words), p->faults) : -1;
	b->self = word == 0;
	if (!ok || word < 0)
		return false;
	if (b->unbound_on >= b->bound_on)
		return true;
	faults_add(p->faults, json_pointer(at, sizeof at, p->pointer, "unbound_on"), CODE_MUST_BE_BEFORE,
	           day_text(b->bound_on, bound), day_text(b->unbound_on, unbound), NULL);
	return false;
}

static bool read_bindings(struct store_facts *facts, const json_t *array, const struct place *p)
{
	char at[FAULT_TEXT_MAX];
	const struct place inner = {at, p->faults};
	bool ok = true;
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(array); i++) {
		struct binding *b = &facts->bindings[facts->binding_count++];

		(void)json_pointer_at(at, sizeof at, p->pointer, i);
		if (!read_binding(b, json_array_get(array, i), &inner))
			ok = false;
		else if (b->self && b->bound_on < b->unbound_on) /* one of no days overlaps nothing */
			facts->keys[n++] = (struct store_key){b->bound_on, b->unbound_on, (uint32_t)i};
	}
	return store_keys_apart(facts->keys, n, p->pointer, p->faults) && ok;
}

static bool read_days(struct store_facts *facts, const json_t *array, const struct place *p)
{
	char at[FAULT_TEXT_MAX];
	bool ok = true;
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(array); i++) {
		struct day_fact *f = &facts->days[facts->day_count++];
		const struct field fields[] = {
		        {"day", FIELD_DAY, &f->on, .required = true},
		        {"orders", FIELD_INT, &f->orders, .required = true, .min = 0, .max = FIGURE_MAX},
		        {"gmv_fen", FIELD_INT, &f->gmv_fen, .required = true, .min = 0, .max = FIGURE_MAX},
		};

		if (json_fields(json_array_get(array, i), json_pointer_at(at, sizeof at, p->pointer, i), fields, COUNT(fields),
		                p->faults))
			facts->keys[n++] = (struct store_key){f->on, f->on, (uint32_t)i};
		else
			ok = false;
	}
	return store_keys_differ(facts->keys, n, p->pointer, p->faults) && ok;
}

/* "2023-04": the 1st of that month. */
static bool read_month_name(const char *text, const struct place *p, day *out)
{
	char first[DAY_TEXT + 1];
	char at[FAULT_TEXT_MAX];
	int length = snprintf(first, sizeof first, "%s-01", text);

	if (length == DAY_TEXT - 1 && day_parse(first, out))
		return true;
	faults_add(p->faults, json_pointer(at, sizeof at, p->pointer, "month"), CODE_WRONG_FORMAT, "YYYY-MM", NULL);
	return false;
}

static bool read_months(struct store_facts *facts, const json_t *array, const struct place *p)
{
	char at[FAULT_TEXT_MAX];
	const struct place inner = {at, p->faults};
	bool ok = true;
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(array); i++) {
		struct month_fact *f = &facts->months[facts->month_count++];
		const char *month = NULL;
		const struct field fields[] = {
		        {"month", FIELD_STRING, &month, .required = true},
		        {"orders", FIELD_INT, &f->orders, .required = true, .min = 0, .max = MONTH_FIGURE_MAX},
		        {"gmv_fen", FIELD_INT, &f->gmv_fen, .required = true, .min = 0, .max = MONTH_FIGURE_MAX},
		};

		ok = json_fields(json_array_get(array, i), json_pointer_at(at, sizeof at, p->pointer, i), fields, COUNT(fields),
		                 p->faults) &&
		     ok;
		if (month && read_month_name(month, &inner, &f->month))
			facts->keys[n++] = (struct store_key){f->month, f->month, (uint32_t)i};
		else
			ok = false;
	}
	return store_keys_differ(facts->keys, n, p->pointer, p->faults) && ok;
}

/* A month is given whole or by its days, not both. The keys are still the months', in order. */
static bool refuse_days_beside_months(const struct store_facts *facts, const struct evaluation_store *s, const struct place *p)
{
	char list[FAULT_TEXT_MAX];
	char at[FAULT_TEXT_MAX];
	char months[FAULT_TEXT_MAX];
	char other[FAULT_TEXT_MAX];
	bool ok = true;

	(void)json_pointer(list, sizeof list, p->pointer, "days");
	(void)json_pointer(months, sizeof months, p->pointer, "months");
	for (size_t i = 0; i < s->day_count && s->month_count > 0; i++) {
		const struct store_key *month = store_keys_find(facts->keys, s->month_count, day_month_start(s->days[i].on));

		if (!month)
			continue;
		faults_add(p->faults, json_pointer_at(at, sizeof at, list, i), CODE_GIVEN_TWICE,
		           json_pointer_at(other, sizeof other, months, month->index), NULL);
		ok = false;
	}
	return ok;
}

bool store_months_may_stand(const struct evaluation_store *store, const char *pointer, day evaluated_on, struct faults *faults)
{
	char list[FAULT_TEXT_MAX];
	char at[FAULT_TEXT_MAX];
	char last[DAY_TEXT];
	bool ok = true;

	(void)json_pointer(list, sizeof list, pointer, "months");
	for (size_t i = 0; i < store->month_count; i++) {
		if (month_may_stand_for_days(store->bindings, store->binding_count, store->months[i].month, evaluated_on))
			continue;
		faults_add(faults, json_pointer_at(at, sizeof at, list, i), CODE_MONTH_NOT_WHOLE, day_text(evaluated_on, last),
		           NULL);
		ok = false;
	}
	return ok;
}

/* ---- one store ---- */

/* The members that are lists, as they stand in the request; NULL: absent. */
struct lists {
	json_t *regions, *bindings, *days, *months;
};

static bool read_lists(struct store_facts *facts, struct evaluation_store *s, const struct lists *lists, const struct place *p)
{
	char at[FAULT_TEXT_MAX];
	const struct place inner = {at, p->faults};
	bool ok = true;

	s->ship_from_regions = facts->regions + facts->region_count;
	s->bindings = facts->bindings + facts->binding_count;
	s->days = facts->days + facts->day_count;
	s->months = facts->months + facts->month_count;
	s->ship_from_count = json_array_size(lists->regions);
	s->binding_count = json_array_size(lists->bindings);
	s->day_count = json_array_size(lists->days);
	s->month_count = json_array_size(lists->months);
	(void)json_pointer(at, sizeof at, p->pointer, "ship_from_regions");
	ok = read_regions(facts, lists->regions, &inner);
	(void)json_pointer(at, sizeof at, p->pointer, "bindings");
	ok = read_bindings(facts, lists->bindings, &inner) && ok;
	(void)json_pointer(at, sizeof at, p->pointer, "days");
	ok = read_days(facts, lists->days, &inner) && ok;
	(void)json_pointer(at, sizeof at, p->pointer, "months");
	ok = read_months(facts, lists->months, &inner) && ok;
	return ok && refuse_days_beside_months(facts, s, p);
}

/* The words among a store's attributes; NULL: absent or wrong, and said so. */
static bool read_attributes(struct evaluation_store *s, const char *code, const char *status, const struct place *p)
{
	const char *words[STORE_STATUSES];
	char at[FAULT_TEXT_MAX];
	bool ok = true;
	int word = 0;

	for (int i = 0; i < STORE_STATUSES; i++)
		words[i] = store_status_name((enum store_status)i);
	if (code)
		ok = region_read(code, json_pointer(at, sizeof at, p->pointer, "registered_region"), &s->registered_region,
		                 p->faults);
	if (status)
		word = word_read(status, json_pointer(at, sizeof at, p->pointer, "status"), words, STORE_STATUSES, p->faults);
	if (word >= 0)
		s->status = (enum store_status)word;
	return ok && word >= 0;
}

enum { ATTRIBUTES = 5, WORD_CHARS = 64 };

bool store_read(struct store_facts *facts, size_t index, const json_t *json, const char *pointer, struct faults *faults)
{
	struct evaluation_store *s = &facts->stores[index];
	const struct place place = {pointer, faults};
	struct lists lists = {0};
	const char *code = NULL;
	const char *status = NULL;
	const struct field fields[] = {
	        {"store_id", FIELD_STRING, &s->store_id, .required = true, .min = 1, .max = WORD_CHARS},
	        {"unlisted", FIELD_BOOL, &s->unlisted, .required = false},
	        {"bindings", FIELD_ARRAY, &lists.bindings, .required = true},
	        {"days", FIELD_ARRAY, &lists.days, .required = false},
	        {"months", FIELD_ARRAY, &lists.months, .required = false},
	        /* attributes: what an unlisted store has none of */
	        {"registered_region", FIELD_STRING, &code, .required = true},
	        {"ship_from_regions", FIELD_ARRAY, &lists.regions, .required = true},
	        {"industry", FIELD_STRING, &s->industry, .required = true, .min = 1, .max = WORD_CHARS},
	        {"category", FIELD_STRING, &s->category, .required = true, .min = 1, .max = WORD_CHARS},
	        {"status", FIELD_STRING, &status, .required = true},
	};
	bool unlisted = json_is_true(json_object_get(json, "unlisted"));
	bool ok = json_fields(json, pointer, fields, COUNT(fields) - (unlisted ? ATTRIBUTES : 0), faults);

	facts->store_count = index + 1;
	ok = read_attributes(s, code, status, &place) && ok;
	return read_lists(facts, s, &lists, &place) && ok;
}

static int by_store_id(const void *a, const void *b, void *stores)
{
	const struct store_key *x = a;
	const struct store_key *y = b;
	const struct evaluation_store *all = stores;
	int order = strcmp(all[x->index].store_id, all[y->index].store_id);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

bool stores_differ(struct store_facts *facts, const char *pointer, struct faults *faults)
{
	char store[FAULT_TEXT_MAX];
	char at[FAULT_TEXT_MAX];
	size_t n = 0;
	bool ok = true;

	for (size_t i = 0; i < facts->store_count; i++) {
		if (facts->stores[i].store_id)
			facts->keys[n++].index = (uint32_t)i;
	}
	qsort_r(facts->keys, n, sizeof *facts->keys, by_store_id, facts->stores);
	for (size_t i = 1; i < n; i++) {
		const char *id = facts->stores[facts->keys[i].index].store_id;

		if (strcmp(id, facts->stores[facts->keys[i - 1].index].store_id) != 0)
			continue;
		(void)json_pointer_at(store, sizeof store, pointer, facts->keys[i].index);
		faults_add(faults, json_pointer(at, sizeof at, store, "store_id"), CODE_DUPLICATE, id, NULL);
		ok = false;
	}
	return ok;
}
