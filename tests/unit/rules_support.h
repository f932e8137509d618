/* What the tests of the rules share: JSON written with single quotes, the example policy with members replaced, an evaluation
 * from request to answer, and a look into a tree by path. What these make lives until the test's process ends: it is kept()
 * where a leak detector finds it, so that what it does report is the code's. */
#ifndef ASSAY_TESTS_UNIT_RULES_SUPPORT_H
#define ASSAY_TESTS_UNIT_RULES_SUPPORT_H

#include "base/json_read.h"
#include "model/rules/evaluation_json.h"
#include "tests/support/check_main.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAYBE_UNUSED __attribute__((unused))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { KEPT_MAX = 1 << 16 };

MAYBE_UNUSED static void *kept(void *p)
{
	static void *all[KEPT_MAX];
	static size_t n;

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_lt(n, KEPT_MAX);
	return all[n++] = p;
}

/* JSON in which ' stands for ". */
__attribute__((format(printf, 1, 2))) MAYBE_UNUSED static json_t *json_of(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	json_error_t error;

	va_start(args, format);
	ck_assert_int_ge(vasprintf(&text, format, args), 0);
	va_end(args);
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
	ck_assert_msg(json != NULL, "%s in %s", error.text, text);
	free(text);
	return kept(json);
}

/* The member or item at "a/0/b"; NULL when it is not there. */
MAYBE_UNUSED static json_t *look(json_t *json, const char *path)
{
	char step[64];

	while (json && *path) {
		size_t n = strcspn(path, "/");

		ck_assert_uint_lt(n, sizeof step);
		memcpy(step, path, n);
		step[n] = '\0';
		json = json_is_array(json) ? json_array_get(json, strtoul(step, NULL, 10)) : json_object_get(json, step);
		path += n + (path[n] == '/');
	}
	return json;
}

/* Sets the member at "a/0/b" to a value (taken); NULL removes it. The parents are there. */
MAYBE_UNUSED static void put(json_t *json, const char *path, json_t *value)
{
	char parent[256] = "";
	const char *last = strrchr(path, '/');
	json_t *in = json;

	if (last) {
		(void)snprintf(parent, sizeof parent, "%.*s", (int)(last - path), path);
		in = look(json, parent);
		path = last + 1;
	}
	ck_assert_ptr_nonnull(in);
	if (json_is_array(in) && value && strtoul(path, NULL, 10) == json_array_size(in))
		ck_assert_int_eq(json_array_append_new(in, value), 0);
	else if (json_is_array(in))
		ck_assert_int_eq(value ? json_array_set_new(in, strtoul(path, NULL, 10), value)
		                       : json_array_remove(in, strtoul(path, NULL, 10)),
		                 0);
	else
		ck_assert_int_eq(value ? json_object_set_new(in, path, value) : json_object_del(in, path), 0);
}

MAYBE_UNUSED static int64_t number(json_t *json, const char *path)
{
	json_t *found = look(json, path);

	ck_assert_msg(json_is_integer(found), "no number at %s in %s", path, json_dumps(json, 0));
	return json_integer_value(found);
}

MAYBE_UNUSED static const char *text_at(json_t *json, const char *path)
{
	json_t *found = look(json, path);

	return json_is_null(found) ? "null" : json_is_string(found) ? json_string_value(found) : "(no text)";
}

MAYBE_UNUSED static bool is_true(json_t *json, const char *path)
{
	json_t *found = look(json, path);

	ck_assert_msg(json_is_boolean(found), "no boolean at %s", path);
	return json_is_true(found);
}

/* A file of the project, parsed. */
MAYBE_UNUSED static json_t *json_file(const char *path)
{
	char full[512];
	json_error_t error;

	(void)snprintf(full, sizeof full, "%s/%s", SOURCE_DIR, path);
	json_t *json = json_load_file(full, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(json != NULL, "%s: %s", full, error.text);
	return kept(json);
}

MAYBE_UNUSED static json_t *example_policy(void)
{
	return json_file("examples/policy-antiques-art.json");
}

/* "code pointer" of each fault, one a line, in the order they were found. */
MAYBE_UNUSED static const char *faults_text(const struct faults *f)
{
	static char text[8192];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < f->len && at < sizeof text; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %s", i ? "\n" : "", code_name(f->items[i].code),
		                       f->items[i].pointer);
	return text;
}

MAYBE_UNUSED static struct policy *policy_of(json_t *json)
{
	struct faults faults = {0};
	struct policy *policy = policy_read(json, "", &faults);

	ck_assert_msg(policy != NULL, "%s", faults_text(&faults));
	return kept(policy);
}

MAYBE_UNUSED static struct evaluation_request *request_of(json_t *json)
{
	struct faults faults = {0};
	struct evaluation_request *request = evaluation_request_read(json, NULL, &faults);

	ck_assert_msg(request != NULL, "%s", faults_text(&faults));
	return kept(request);
}

/* What is wrong with a request, as faults_text(). */
MAYBE_UNUSED static const char *refusals(json_t *json)
{
	struct faults faults = {0};
	struct evaluation_request *request = evaluation_request_read(json, NULL, &faults);
	const char *text = faults_text(&faults);

	ck_assert_msg(!request == faults_any(&faults), "a request or faults, not both: %s", text);
	evaluation_request_free(request);
	faults_free(&faults);
	return text;
}

MAYBE_UNUSED static json_t *evaluated_as(json_t *json, enum evaluation_form form)
{
	struct evaluation_request *request = request_of(json);
	const struct evaluation_input *in = evaluation_request_input(request);
	struct evaluation e;
	struct faults faults = {0};
	struct buf out = BUF_INIT(SIZE_MAX);

	ck_assert_msg(evaluation_run(in, &e, &faults), "%s", faults_text(&faults));
	evaluation_json(&out, in, &e, form);
	ck_assert(!out.failed);
	json_error_t error;
	json_t *answer = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(answer != NULL, "%s in %s", error.text, out.data);
	evaluation_free(&e);
	buf_free(&out);
	return kept(answer);
}

/* From request to answer. */
MAYBE_UNUSED static json_t *evaluated(json_t *json)
{
	return evaluated_as(json, EVALUATION_WHOLE);
}

/* A request under the example policy, of a Hubei provider's trial from 2023-04-01, with no stores yet. */
MAYBE_UNUSED static json_t *trial_request(const char *as_of)
{
	json_t *request =
	        json_of("{'policies': [], 'stage': 'trial', 'period_start': '2023-04-01', 'as_of': '%s',"
	                " 'provider': {'region': '420000', 'industry': 'antiques_art', 'main_category': 'antiques_art'},"
	                " 'exam_passes': [{'person_id': 'p-1', 'passed_on': '2023-04-20'},"
	                "                 {'person_id': 'p-2', 'passed_on': '2023-05-02'}], 'stores': []}",
	                as_of);

	put(request, "policies/0", example_policy());
	return request;
}

/* A store of Wuhan, newly bound on `bound_on` and still bound, without figures. */
MAYBE_UNUSED static json_t *store_of(const char *id, const char *bound_on)
{
	return json_of("{'store_id': '%s', 'registered_region': '420106', 'ship_from_regions': ['420100'],"
	               " 'industry': 'antiques_art', 'category': 'antiques_art', 'status': 'normal',"
	               " 'bindings': [{'by': 'self', 'bound_on': '%s', 'unbound_on': null}], 'days': []}",
	               id, bound_on);
}

MAYBE_UNUSED static void add_day(json_t *store, const char *on, int64_t orders, int64_t gmv_fen)
{
	json_t *days = look(store, "days");

	ck_assert_int_eq(json_array_append_new(days, json_pack("{s:s, s:I, s:I}", "day", on, "orders", (json_int_t)orders,
	                                                       "gmv_fen", (json_int_t)gmv_fen)),
	                 0);
}

/* The same request with n stores s-1.. bound on 2023-04-03. */
MAYBE_UNUSED static void add_stores(json_t *request, int n)
{
	json_t *stores = look(request, "stores");
	char id[16];

	for (int i = 0; i < n; i++) {
		(void)snprintf(id, sizeof id, "s-%zu", json_array_size(stores) + 1);
		ck_assert_int_eq(json_array_append_new(stores, store_of(id, "2023-04-03")), 0);
	}
}

MAYBE_UNUSED static day day_at(const char *text)
{
	day d;

	ck_assert_msg(day_parse(text, &d), "%s is no day", text);
	return d;
}

#endif
