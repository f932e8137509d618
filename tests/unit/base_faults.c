/* base/faults: the catalogue, and lists of what is wrong. */
#include "base/faults.h"

#include "tests/support/check_main.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static char *detail(enum code c, enum lang lang, const char *const *args, size_t nargs)
{
	struct buf out = BUF_INIT(10000);

	code_detail(&out, c, lang, args, nargs);
	return buf_take(&out);
}

START_TEST(names_are_words_and_lead_back_to_their_codes)
{
	for (int c = CODE_NONE + 1; c < CODE_COUNT; c++) {
		const char *name = code_name((enum code)c);

		ck_assert_uint_gt(strlen(name), 0);
		ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(name));
		ck_assert_int_eq(code_by_name(name), c);
	}
	ck_assert_str_eq(code_name(CODE_IDEMPOTENCY_KEY_REUSED), "idempotency_key_reused");
	ck_assert_int_eq(code_by_name("no_such_code"), CODE_NONE);
	ck_assert_int_eq(code_by_name("NOT_FOUND"), CODE_NONE);
	ck_assert_int_eq(code_by_name(""), CODE_NONE);
}
END_TEST

static const char *const letters[] = {"<a>", "<b>", "<c>"};

/* Which of the three arguments a text uses, as bits. */
static unsigned slots(enum code c, enum lang lang)
{
	char *text = detail(c, lang, letters, 3);
	unsigned used = 0;

	ck_assert_ptr_nonnull(text);
	ck_assert_uint_gt(strlen(text), 0);
	ck_assert_msg(!strchr(text, '{'), "%s has a slot that is none: %s", code_name(c), text);
	for (unsigned i = 0; i < 3; i++)
		used |= strstr(text, letters[i]) ? 1U << i : 0;
	free(text);
	return used;
}

START_TEST(every_row_says_the_same_in_both_languages)
{
	for (int i = CODE_NONE + 1; i < CODE_COUNT; i++) {
		enum code c = (enum code)i;

		ck_assert_msg(slots(c, LANG_EN) == slots(c, LANG_ZH), "%s: other arguments in Chinese", code_name(c));
		if (code_status(c) == 0)
			continue;
		ck_assert_int_ge(code_status(c), 400);
		ck_assert_int_le(code_status(c), 599);
		ck_assert_uint_gt(strlen(code_title(c, LANG_EN)), 0);
		ck_assert_uint_gt(strlen(code_title(c, LANG_ZH)), 0);
		ck_assert_str_ne(code_title(c, LANG_EN), code_title(c, LANG_ZH));
	}
	ck_assert_int_eq(code_status(CODE_NOT_FOUND), 404);
	ck_assert_int_eq(code_status(CODE_TOO_LONG), 0);
}
END_TEST

START_TEST(arguments_fill_their_places)
{
	const char *const args[] = {"3", NULL};
	char *text = detail(CODE_TOO_FEW_COLUMNS, LANG_EN, args, 2);

	ck_assert_str_eq(text, "The row has 3 columns, the header has .");
	free(text);
	text = detail(CODE_TOO_FEW_COLUMNS, LANG_EN, NULL, 0);
	ck_assert_str_eq(text, "The row has  columns, the header has .");
	free(text);
}
END_TEST

/* The faults as JSON, read back by jansson. */
static json_t *as_json(const struct faults *f, enum lang lang)
{
	struct buf out = BUF_INIT(1000000);
	json_t *tree;

	faults_json(&out, f, lang);
	ck_assert(!out.failed);
	tree = json_loadb(out.data, out.len, 0, NULL);
	ck_assert_ptr_nonnull(tree);
	buf_free(&out);
	return tree;
}

static const char *text_of(const json_t *list, size_t i, const char *member)
{
	return json_string_value(json_object_get(json_array_get(list, i), member));
}

START_TEST(a_list_becomes_json_in_the_callers_language)
{
	struct faults f = {0};
	json_t *list;

	ck_assert(!faults_any(&f));
	faults_add(&f, "/name", CODE_TOO_LONG, "200", NULL);
	faults_add(&f, "/a\"b", CODE_MISSING, NULL);
	ck_assert(faults_any(&f));
	list = as_json(&f, LANG_EN);
	ck_assert_uint_eq(json_array_size(list), 2);
	ck_assert_str_eq(text_of(list, 0, "pointer"), "/name");
	ck_assert_str_eq(text_of(list, 0, "code"), "too_long");
	ck_assert_str_eq(text_of(list, 0, "detail"), "At most 200 are allowed.");
	ck_assert_str_eq(text_of(list, 1, "pointer"), "/a\"b");
	json_decref(list);
	list = as_json(&f, LANG_ZH);
	ck_assert_str_eq(text_of(list, 0, "detail"), "最多允许 200。");
	json_decref(list);
	faults_free(&f);
	ck_assert(!faults_any(&f));
}
END_TEST

START_TEST(the_bound_keeps_the_first_and_counts_all)
{
	struct faults few = {.max = 3};
	struct faults many = {0};
	char pointer[32];

	for (int i = 0; i < 250; i++) {
		(void)snprintf(pointer, sizeof pointer, "/%d", i);
		faults_add(&few, pointer, CODE_MISSING, NULL);
		faults_add(&many, pointer, CODE_MISSING, NULL);
	}
	ck_assert_uint_eq(few.len, 3);
	ck_assert_uint_eq(few.total, 250);
	ck_assert_str_eq(few.items[2].pointer, "/2");
	ck_assert_uint_eq(many.len, FAULTS_MAX);
	ck_assert_uint_eq(many.total, 250);
	faults_free(&few);
	ck_assert_uint_eq(few.max, 3);
	ck_assert_uint_eq(few.total, 0);
	faults_free(&many);
}
END_TEST

START_TEST(quoted_input_is_made_safe_to_show)
{
	struct faults f = {0};
	char text[2 * FAULT_TEXT_MAX + 1];
	json_t *list;

	faults_add(&f, "/\xff", CODE_INVALID_DAY, "a\xc3\x28\n\xed\xa0\x80", NULL);
	for (size_t i = 0; i + 3 < sizeof text; i += 3)
		memcpy(text + i, "\xE4\xB8\xAD", 4); /* 中 */
	faults_add(&f, "", CODE_INVALID_DAY, text, NULL);
	memset(text, 'x', FAULT_TEXT_MAX);
	text[FAULT_TEXT_MAX] = '\0';
	faults_add(&f, "", CODE_INVALID_DAY, text, NULL);
	ck_assert_str_eq(f.items[0].pointer, "/\xEF\xBF\xBD");
	ck_assert_str_eq(f.items[0].args[0], "a\xEF\xBF\xBD(\n\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	ck_assert_uint_eq(strlen(f.items[1].args[0]), FAULT_TEXT_MAX / 3 * 3 + 3);
	ck_assert_ptr_nonnull(strstr(f.items[1].args[0], "中…"));
	ck_assert_str_eq(f.items[2].args[0], text);
	list = as_json(&f, LANG_EN);
	ck_assert_uint_eq(json_array_size(list), 3);
	json_decref(list);
	faults_free(&f);
}
END_TEST

CHECK_MAIN("base/faults", names_are_words_and_lead_back_to_their_codes, every_row_says_the_same_in_both_languages,
           arguments_fill_their_places, a_list_becomes_json_in_the_callers_language, the_bound_keeps_the_first_and_counts_all,
           quoted_input_is_made_safe_to_show)
