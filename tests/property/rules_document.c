/* What holds of every decision's document, on random inputs: it is a fixed point, and what is changed in its answer is found. */
#include "base/json_read.h"
#include "model/rules/document.h"
#include "tests/property/world.h"
#include "tests/support/check_main.h"

#include <string.h>

enum { CASES = 1500, TEXT_MAX = 1 << 22, IMPORTS = 6 };

static uint64_t seed; /* of this run; the same for every test, each in its own process */
static int cases;

static json_t *parsed(const char *text, int number)
{
	struct faults faults = {0};
	json_t *json = NULL;

	ck_assert_msg(json_read(text, strlen(text), JSON_DEPTH_MAX, &json, &faults) == JSON_OK, "case %d", number);
	return json;
}

/* Where it comes from, at random; the lists point into `room`. */
static struct document_origin some_origin(struct random *r, struct document_import room[IMPORTS])
{
	static const char *const ids[IMPORTS] = {"imp_1", "imp_2", "imp_3", "imp_4", "imp_5", "imp_6"};
	struct document_origin origin = {.decided_on = DAY_NONE, .watermark = DAY_NONE};

	if (!random_one_in(r, 3))
		origin.decided_on = day_of(2023, 7, (int)random_in(r, 1, 31));
	if (!random_one_in(r, 3))
		origin.watermark = day_of(2023, 6, (int)random_in(r, 1, 30));
	origin.imports_known = !random_one_in(r, 3);
	for (size_t i = 0; i < IMPORTS; i++)
		room[i] = (struct document_import){ids[i], random_one_in(r, 4) ? NULL : "aa\"\\\n\xE7\x8E\x8B"};
	for (int s = 0; s < DOCUMENT_SOURCES && origin.imports_known; s++)
		origin.imports[s] = (struct document_imports){room, (size_t)random_in(r, 0, IMPORTS)};
	return origin;
}

/* NULL: a sum of this world is too large. */
static char *some_document(struct world *w, struct random *r)
{
	struct document_import room[IMPORTS];
	struct buf out = BUF_INIT(TEXT_MAX);
	struct evaluation e;

	world_make(w, r);
	if (evaluate(&w->in, &e) != EVALUATION_OK)
		return NULL;
	const struct document_origin origin = some_origin(r, room);
	document_json(&out, &w->in, &e, &origin);
	evaluation_free(&e);
	ck_assert(!out.failed);
	return buf_take(&out);
}

START_TEST(it_evaluates_to_itself)
{
	static struct world w;
	int made = 0;

	for (int number = 0; number < cases; number++) {
		struct random r = random_for(seed, (uint64_t)number);
		char *text = some_document(&w, &r);
		struct faults faults = {0};
		struct buf again = BUF_INIT(TEXT_MAX);

		if (!text)
			continue;
		json_t *json = parsed(text, number);
		ck_assert_msg(evaluation_answer(json, &(struct evaluating){0}, &again, &faults), "case %d: %s at %s", number,
		              faults.len ? code_name(faults.items[0].code) : "memory",
		              faults.len ? faults.items[0].pointer : "");
		ck_assert_msg(strcmp(again.data, text) == 0, "case %d", number);
		made++;
		json_decref(json);
		buf_free(&again);
		free(text);
	}
	ck_assert_int_gt(made, cases / 2);
}
END_TEST

/* A random value in the tree below `json`, changed; not in `request`, `clock` and `imports`, on which the rest depends. */
static void change_something(json_t *json, struct random *r, bool top)
{
	json_t *inner = NULL;

	while (!inner) {
		size_t n = json_is_object(json) ? json_object_size(json) : json_array_size(json);
		size_t at = (size_t)random_in(r, 0, (int64_t)n - 1);
		void *it = json_is_object(json) ? json_object_iter(json) : NULL;
		const char *key;

		for (size_t i = 0; it && i < at; i++)
			it = json_object_iter_next(json, it);
		key = it ? json_object_iter_key(it) : NULL;
		if (top && key && (strcmp(key, "request") == 0 || strcmp(key, "clock") == 0 || strcmp(key, "imports") == 0))
			continue;
		inner = it ? json_object_iter_value(it) : json_array_get(json, at);
		if (((json_is_object(inner) && json_object_size(inner)) || (json_is_array(inner) && json_array_size(inner))) &&
		    !random_one_in(r, 20)) {
			change_something(inner, r, false);
			return;
		}
		if (random_one_in(r, 4))
			(void)(it ? json_object_del(json, key) : json_array_remove(json, at));
		else
			(void)(it ? json_object_set_new(json, key, json_real(0.5))
			          : json_array_set_new(json, at, json_real(0.5)));
	}
}

START_TEST(what_is_changed_is_found)
{
	static struct world w;

	for (int number = 0; number < cases; number++) {
		struct random r = random_for(seed, (uint64_t)number);
		char *text = some_document(&w, &r);
		struct faults faults = {0};
		struct buf again = BUF_INIT(TEXT_MAX);

		if (!text)
			continue;
		json_t *json = parsed(text, number);
		change_something(json, &r, true);
		ck_assert_msg(!evaluation_answer(json, &(struct evaluating){0}, &again, &faults), "case %d", number);
		ck_assert_msg(faults_any(&faults), "case %d", number);
		json_decref(json);
		buf_free(&again);
		faults_free(&faults);
		free(text);
	}
}
END_TEST

static Suite *make(void)
{
	Suite *suite = suite_create("rules_document");
	TCase *tcase = tcase_create("properties");

	seed = random_seed();
	cases = random_cases(CASES);
	tcase_set_timeout(tcase, 240);
	tcase_add_test(tcase, it_evaluates_to_itself);
	tcase_add_test(tcase, what_is_changed_is_found);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN_SUITE(make)
