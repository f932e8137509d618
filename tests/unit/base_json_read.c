/* base/json_read: what is read, what is malformed (400), what is refused (422) and where. */
#include "base/json_read.h"

#include "base/json_locate.h"
#include "tests/support/check_main.h"

#include <string.h>

/* "verdict pointer code arg0 arg1 arg2; ..." with what is absent left out. */
static char *judged(const char *text, size_t len, unsigned depth)
{
	static const char *const verdicts[] = {"ok", "malformed", "refused", "memory"};
	struct faults faults = {0};
	struct buf out = BUF_INIT(100000);
	json_t *tree = NULL;
	enum json_verdict verdict = json_read(text, len, depth, &tree, &faults);

	ck_assert((tree != NULL) == (verdict == JSON_OK));
	ck_assert(faults_any(&faults) == (verdict != JSON_OK));
	buf_puts(&out, verdicts[verdict]);
	for (size_t i = 0; i < faults.len; i++) {
		buf_printf(&out, "%s %s %s", i ? ";" : "", faults.items[i].pointer, code_name(faults.items[i].code));
		for (size_t k = 0; k < FAULT_ARGS && faults.items[i].args[k]; k++)
			buf_printf(&out, " %s", faults.items[i].args[k]);
	}
	json_decref(tree);
	faults_free(&faults);
	return buf_take(&out);
}

struct expectation {
	const char *text;
	const char *judged;
};

static void expect_all(const struct expectation *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *got = judged(list[i].text, strlen(list[i].text), 5);

		ck_assert_msg(strcmp(got, list[i].judged) == 0, "%s\n gives %s\nwanted %s", list[i].text, got, list[i].judged);
		free(got);
	}
}
#define EXPECT(list) expect_all(list, sizeof(list) / sizeof((list)[0]))

START_TEST(json_is_read)
{
	static const struct expectation list[] = {
	        {"{}", "ok"},
	        {" [1, -2, 0.5, 1e3, \"\\ud83d\\ude00\", true, false, null]\r\n\t ", "ok"},
	        {"5", "ok"},
	        {"\"text\"", "ok"},
	        {"null", "ok"},
	        {"[[[[[]]]]]", "ok"},
	        {"[\"[[[[[[[[\",\"\\\"[[[[[[[\"]", "ok"},
	        {"{\"a\":{\"x\":1},\"b\":{\"x\":1}}", "ok"},
	        {"[9223372036854775807,-9223372036854775808]", "ok"},
	};

	EXPECT(list);
}
END_TEST

START_TEST(what_is_not_json_is_malformed)
{
	static const struct expectation list[] = {
	        {"", "malformed  invalid_json unexpected token near end of file 1 1"},
	        {" \n ", "malformed  invalid_json unexpected token near end of file 2 1"},
	        {"{\"a\" 1}", "malformed  invalid_json ':' expected near '1' 1 6"},
	        {"[1,\n2,\n 3 x]", "malformed  invalid_json ']' expected near 'x' 3 4"},
	        {"[\"中文\" x]", "malformed  invalid_json ']' expected near 'x' 1 7"},
	        {"[1]x", "malformed  invalid_json end of file expected near 'x' 1 4"},
	        {"{} {}", "malformed  invalid_json end of file expected near '{' 1 4"},
	        {"nul", "malformed  invalid_json invalid token near 'nul' 1 3"},
	        {"[1,]", "malformed  invalid_json unexpected token near ']' 1 4"},
	        {"[01]", "malformed  invalid_json invalid token near '0' 1 2"},
	        {"[+1]", "malformed  invalid_json invalid token near '+' 1 2"},
	        {"[NaN]", "malformed  invalid_json invalid token near 'NaN' 1 4"},
	        {"{a:1}", "malformed  invalid_json string or '}' expected near 'a' 1 2"},
	        {"['a']", "malformed  invalid_json invalid token near ''' 1 2"},
	        {"[1] // x", "malformed  invalid_json end of file expected near '/' 1 5"},
	        {"]", "malformed  invalid_json unexpected token near ']' 1 1"},
	        {"]]]]]]]]", "malformed  invalid_json unexpected token near ']' 1 1"},
	        {"\xEF\xBB\xBF{}", "malformed  invalid_json invalid token near '\xEF\xBB\xBF' 1 1"},
	        /* not JSON comes before a duplicate */
	        {"{\"a\":1,\"a\":2", "malformed  invalid_json '}' expected near end of file 1 12"},
	};

	EXPECT(list);
}
END_TEST

START_TEST(json_that_breaks_a_rule_is_refused_where_it_does)
{
	static const struct expectation list[] = {
	        {"{\"a\":1,\"b\":[1,{\"c\":1,\n\"c\":2}],\"a\":3,\"a\":4}",
	         "refused /b/1/c duplicate_member 2 1; /a duplicate_member 2 9; /a duplicate_member 2 15"},
	        {"{\"a/b\":{\"~\":1,\"~\":2}}", "refused /a~1b/~0 duplicate_member 1 15"},
	        {"{\"a\":1,\"\\u0061\":2}", "refused /a duplicate_member 1 8"},
	        {"[{\"\":1,\"\":2}]", "refused /0/ duplicate_member 1 8"},
	        {"{\"x\":{\"y\":[1,99999999999999999999]}}",
	         "refused /x/y/1 number_out_of_range -9223372036854775808 9223372036854775807"},
	        {"[-9223372036854775809]", "refused /0 number_out_of_range -9223372036854775808 9223372036854775807"},
	        {"[0, 1e400]", "refused /1 number_out_of_range -9223372036854775808 9223372036854775807"},
	        {"{\"x\":\"\\u0000\"}", "refused /x bad_encoding"},
	        {"{\"x\":{\"\\u0000\":1}}", "refused /x bad_encoding"},
	        {"{\"x\":\"\\ud800\"}", "refused /x bad_encoding"},
	        {"{\"x\":\"\\udc00x\"}", "refused /x bad_encoding"},
	        {"{\"x\":[0,\"\\ud800\\u0041\"]}", "refused /x/1 bad_encoding"},
	        {"{\"k\":\"\xff\"}", "refused /k bad_encoding"},
	        {"{\"k\":1,\"l\":\"\xed\xa0\x80\"}", "refused /l bad_encoding"},
	        {"{\"k\":{\"\xc0\xaf\":1}}", "refused /k bad_encoding"},
	        {"[[[[[[1]]]]]]", "refused /0/0/0/0/0 too_deep 5"},
	        {"{\"a\":[0,{\"b\":[[{}]]}]}", "refused /a/1/b/0/0 too_deep 5"},
	        {"[[[[[[", "refused /0/0/0/0/0 too_deep 5"},
	};

	EXPECT(list);
}
END_TEST

START_TEST(a_nul_byte_is_not_json)
{
	char *got = judged("[\"a\0\"]", 6, 5);

	ck_assert_str_eq(got, "malformed  invalid_json control character 0x0 near '\"a' 1 3");
	free(got);
	got = judged("[]\0", 3, 5);
	ck_assert_int_eq(strncmp(got, "malformed", 9), 0);
	free(got);
}
END_TEST

static size_t nest(char *text, size_t depth)
{
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return 2 * depth;
}

START_TEST(the_depth_is_exact)
{
	char text[400];

	for (unsigned max = 1; max <= JSON_DEPTH_MAX; max++) {
		for (size_t depth = 1; depth <= 100; depth++) {
			char *got = judged(text, nest(text, depth), max);

			ck_assert_int_eq(strncmp(got, depth <= max ? "ok" : "refused", 2), 0);
			free(got);
		}
	}
}
END_TEST

START_TEST(a_million_brackets_cost_no_stack)
{
	size_t n = 1000000;
	char *text = malloc(n);
	char *got;

	ck_assert_ptr_nonnull(text);
	memset(text, '[', n);
	got = judged(text, n, 0);
	ck_assert_ptr_nonnull(strstr(got, "too_deep 32"));
	free(got);
	free(text);
}
END_TEST

START_TEST(many_duplicates_cost_one_pass)
{
	struct buf text = BUF_INIT(10000000);
	struct faults faults = {0};
	json_t *tree;

	buf_puts(&text, "{\"a\":1");
	for (int i = 0; i < 300000; i++)
		buf_puts(&text, ",\n\"a\":1");
	buf_puts(&text, "}");
	ck_assert_int_eq(json_read(text.data, text.len, 0, &tree, &faults), JSON_REFUSED);
	ck_assert_uint_eq(faults.total, 300000);
	ck_assert_uint_eq(faults.len, FAULTS_MAX);
	ck_assert_str_eq(faults.items[99].args[0], "101");
	faults_free(&faults);
	buf_free(&text);
}
END_TEST

START_TEST(every_cut_of_a_document_is_malformed)
{
	static const char text[] = "{\"a\":[1,2.5,{\"b\":\"\\u00e9中\"}],\"c\":null,\"d\":true}";

	for (size_t n = 0; n < sizeof text - 1; n++) {
		/* on the heap, so that a sanitizer sees a read past the end */
		char *copy = malloc(n + 1);
		char *got;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, text, n);
		copy[n] = '\x7f';
		got = judged(copy, n, 0);
		/* inside a character of several bytes it is not text either */
		ck_assert_msg(strncmp(got, "malformed", 9) == 0 || strstr(got, "bad_encoding"), "%zu bytes: %s", n, got);
		free(got);
		free(copy);
	}
}
END_TEST

START_TEST(places)
{
	static const char text[] = "a中b\n\ncd";
	static const struct {
		size_t at, line, column;
	} list[] = {{0, 1, 1}, {1, 1, 2}, {3, 1, 2}, {4, 1, 3}, {5, 1, 4}, {6, 2, 1}, {7, 3, 1}, {8, 3, 2}, {99, 3, 3}};

	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct json_place place = json_place_of(text, sizeof text - 1, list[i].at);

		ck_assert_uint_eq(place.line, list[i].line);
		ck_assert_uint_eq(place.column, list[i].column);
	}
}
END_TEST

START_TEST(pointers_are_cut_at_their_size)
{
	char out[8];
	char longer[64];

	ck_assert_str_eq(json_locate("{\"abc\":{\"def\":1", 15, 14, out, sizeof out), "/abc/de");
	ck_assert_str_eq(json_locate("{\"abc\":{\"def\":1", 15, 14, longer, sizeof longer), "/abc/def");
	ck_assert_str_eq(json_locate("{\"a\":1,", 7, 7, longer, sizeof longer), "/a");
	ck_assert_str_eq(json_locate("{\"a", 3, 3, longer, sizeof longer), "");
	ck_assert_str_eq(json_locate("]]}}[1,2", 8, 8, longer, sizeof longer), "/1");
	ck_assert_str_eq(json_pointer(out, sizeof out, "/a", "bcdefgh"), "/a/bcde");
	ck_assert_str_eq(json_pointer(out, sizeof out, "/abc", "d~~"), "/abc/d");
	ck_assert_str_eq(json_pointer(out, 1, "/a", "b"), "");
	ck_assert_str_eq(json_pointer(longer, sizeof longer, "", "a~b/c"), "/a~0b~1c");
	ck_assert_str_eq(json_pointer(longer, sizeof longer, "/x", ""), "/x/");
	ck_assert_str_eq(json_pointer_at(longer, sizeof longer, "/x", 12), "/x/12");
	ck_assert_str_eq(json_pointer_at(out, sizeof out, "/abcde", 12), "/abcde/");
}
END_TEST

CHECK_MAIN("base/json_read", json_is_read, what_is_not_json_is_malformed, json_that_breaks_a_rule_is_refused_where_it_does,
           a_nul_byte_is_not_json, the_depth_is_exact, a_million_brackets_cost_no_stack, many_duplicates_cost_one_pass,
           every_cut_of_a_document_is_malformed, places, pointers_are_cut_at_their_size)
