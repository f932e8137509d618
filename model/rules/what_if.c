#include "model/rules/what_if.h"

#include "base/json_read.h"

#include <stdlib.h>
#include <string.h>

enum { EVIDENCE_MAX = 64 * 1024 * 1024 };

struct what_if {
	struct evaluation_input input;
	struct evaluation_request *request; /* what was changed, and the policies */
	struct evaluation_store *stores;
};

/* What is changed is put together as an evaluation request, of the caller's members first and in their order: so the one strict reader
 * of such requests checks them, and its pointers are the caller's. */
struct merging {
	const struct evaluation_input *in;
	const struct what_if_changes *changes;
	struct faults *faults;
	json_t *evidence; /* a request of the stores that the caller names, as they are */
	bool no_memory;
};

static bool is_changed(const json_t *stores, const char *id)
{
	size_t i;
	json_t *store;

	json_array_foreach(stores, i, store)
	{
		const char *name = json_string_value(json_object_get(store, "store_id"));

		if (name && strcmp(name, id) == 0)
			return true;
	}
	return false;
}

/* The evidence of `in` with only the stores that are changed. */
static json_t *evidence_of_changed(const struct merging *m)
{
	struct evaluation_input some = *m->in;
	struct evaluation_store *stores = calloc(m->in->store_count + 1, sizeof *stores);
	struct buf text = BUF_INIT(EVIDENCE_MAX);
	json_t *json = NULL;

	if (!stores)
		return NULL;
	some.stores = stores;
	some.store_count = 0;
	for (size_t i = 0; i < m->in->store_count; i++) {
		if (is_changed(m->changes->stores, m->in->stores[i].store_id))
			stores[some.store_count++] = m->in->stores[i];
	}
	evidence_json(&text, &some);
	if (!text.failed)
		json = json_loads(text.data, 0, NULL);
	buf_free(&text);
	free(stores);
	return json;
}

static json_t *known_store(const struct merging *m, const char *id)
{
	size_t i;
	json_t *store;

	json_array_foreach(json_object_get(m->evidence, "stores"), i, store)
	{
		if (id && strcmp(json_string_value(json_object_get(store, "store_id")), id) == 0)
			return store;
	}
	return NULL;
}

static void refuse_member(struct merging *m, const json_t *object, const char *pointer, const char *name)
{
	char at[FAULT_TEXT_MAX];

	if (json_object_get(object, name))
		faults_add(m->faults, json_pointer(at, sizeof at, pointer, name), CODE_UNKNOWN_MEMBER, NULL);
}

/* The caller's bindings are the provider's own; others' stay as they are. */
static json_t *merge_bindings(struct merging *m, const json_t *given, const json_t *known, const char *pointer)
{
	json_t *merged = json_deep_copy(given);
	char list[FAULT_TEXT_MAX];
	char at[FAULT_TEXT_MAX];
	size_t i;
	json_t *one;

	(void)json_pointer(list, sizeof list, pointer, "bindings");
	json_array_foreach(merged, i, one)
	{
		refuse_member(m, one, json_pointer_at(at, sizeof at, list, i), "by");
		if (json_is_object(one) && json_object_set_new(one, "by", json_string("self")) != 0)
			m->no_memory = true;
	}
	json_array_foreach(known, i, one)
	{
		bool other = strcmp(json_string_value(json_object_get(one, "by")), "other") == 0;

		if (other && json_is_array(merged) && json_array_append(merged, one) != 0)
			m->no_memory = true;
	}
	return merged;
}

static bool has_day(const json_t *days, const char *wanted)
{
	size_t i;
	json_t *one;

	json_array_foreach(days, i, one)
	{
		const char *name = json_string_value(json_object_get(one, "day"));

		if (name && strcmp(name, wanted) == 0)
			return true;
	}
	return false;
}

/* The caller's days, and those that are known of other days. */
static json_t *merge_days(struct merging *m, const json_t *given, const json_t *known)
{
	json_t *merged = json_copy((json_t *)given);
	size_t i;
	json_t *one;

	json_array_foreach(known, i, one)
	{
		if (json_is_array(merged) && !has_day(given, json_string_value(json_object_get(one, "day"))) &&
		    json_array_append(merged, one) != 0)
			m->no_memory = true;
	}
	return merged;
}

static bool gives_attributes(const json_t *store)
{
	static const char *const names[] = {"registered_region", "ship_from_regions", "industry", "category", "status"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (json_object_get(store, names[i]))
			return true;
	}
	return false;
}

/* What the caller says of a store over what is known of it. */
static json_t *merge_store(struct merging *m, const json_t *given, const char *pointer)
{
	json_t *known = known_store(m, json_string_value(json_object_get(given, "store_id")));
	json_t *merged = known ? json_copy(known) : json_object();
	const json_t *bindings = json_object_get(given, "bindings");
	const json_t *days = json_object_get(given, "days");

	if (!merged || json_object_update(merged, (json_t *)given) != 0) {
		json_decref(merged);
		m->no_memory = true;
		return NULL;
	}
	refuse_member(m, given, pointer, "unlisted");
	refuse_member(m, given, pointer, "months");
	if (json_object_get(given, "unlisted") || gives_attributes(given))
		(void)json_object_del(merged, "unlisted");
	(void)json_object_del(merged, "months");
	if (bindings && json_object_set_new(merged, "bindings",
	                                    merge_bindings(m, bindings, json_object_get(known, "bindings"), pointer)) != 0)
		m->no_memory = true;
	if (days && json_object_set_new(merged, "days", merge_days(m, days, json_object_get(known, "days"))) != 0)
		m->no_memory = true;
	return merged;
}

static json_t *merge_stores(struct merging *m)
{
	json_t *merged = json_array();
	char at[FAULT_TEXT_MAX];
	size_t i;
	json_t *given;

	json_array_foreach(m->changes->stores, i, given)
	{
		(void)json_pointer_at(at, sizeof at, "/stores", i);
		if (!json_is_object(given))
			(void)json_array_append(merged, given); /* the reader says what is wrong with it */
		else if (json_array_append_new(merged, merge_store(m, given, at)) != 0)
			m->no_memory = true;
	}
	return merged;
}

static json_t *merge_passes(const struct merging *m)
{
	json_t *merged = m->changes->exam_passes ? json_copy((json_t *)m->changes->exam_passes) : json_array();

	if (merged && json_array_extend(merged, json_object_get(m->evidence, "exam_passes")) != 0) {
		json_decref(merged);
		merged = NULL;
	}
	return merged;
}

static json_t *policy_alone(const struct policy *p)
{
	struct buf text = BUF_INIT(EVIDENCE_MAX);

	policy_json(&text, p);
	json_t *list = text.failed ? NULL : json_pack("[o]", json_loads(text.data, 0, NULL));
	buf_free(&text);
	return list;
}

/* The request, with whatever is wrong in it. NULL: out of memory. */
static json_t *merge(struct merging *m)
{
	m->evidence = evidence_of_changed(m);
	if (!m->evidence || json_object_set_new(m->evidence, "exam_passes", merge_passes(m)) != 0)
		return NULL;
	if (m->changes->policy && json_object_set_new(m->evidence, "policies", policy_alone(m->changes->policy)) != 0)
		return NULL;
	json_t *stores = merge_stores(m);
	if (json_object_set_new(m->evidence, "stores", stores) != 0 || m->no_memory)
		return NULL;
	return m->evidence;
}

/* The stores that were changed, as read, and the others, as they are. */
static bool join(struct what_if *w, const struct evaluation_input *in, const json_t *changed)
{
	const struct evaluation_input *read = evaluation_request_input(w->request);

	w->stores = calloc(read->store_count + in->store_count + 1, sizeof *w->stores);
	if (!w->stores)
		return false;
	w->input = *read;
	w->input.stores = w->stores;
	if (read->store_count)
		memcpy(w->stores, read->stores, read->store_count * sizeof *w->stores);
	for (size_t i = 0; i < in->store_count; i++) {
		if (!is_changed(changed, in->stores[i].store_id))
			w->stores[w->input.store_count++] = in->stores[i];
	}
	return true;
}

struct what_if *what_if_read(const struct evaluation_input *in, const struct what_if_changes *changes, struct faults *faults)
{
	struct merging m = {.in = in, .changes = changes, .faults = faults};
	struct what_if *w = calloc(1, sizeof *w);
	json_t *request = w ? merge(&m) : NULL;

	if (request)
		w->request = evaluation_request_read(request, NULL, faults);
	json_decref(m.evidence);
	if (!w || !w->request || faults_any(faults) || !join(w, in, changes->stores)) {
		what_if_free(w);
		return NULL;
	}
	return w;
}

void what_if_free(struct what_if *w)
{
	if (!w)
		return;
	evaluation_request_free(w->request);
	free(w->stores);
	free(w);
}

const struct evaluation_input *what_if_input(const struct what_if *w)
{
	return &w->input;
}
