/* base/csv: rows, faults and line numbers, in any chunking. */
#include "tests/unit/base_csv_rows.h"

struct expectation {
	const char *text;
	const char *rows;
};

static void expect_all(const struct expectation *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list[i].text);

		for (uint64_t cuts = 0; cuts < (UINT64_C(1) << (len < 14 ? len : 14)); cuts++) {
			char *rows = rows_cut(list[i].text, len, cuts);

			if (strcmp(rows, list[i].rows) != 0)
				ck_abort_msg("%s\n(cuts %" PRIx64 ") gives\n%swanted\n%s", list[i].text, cuts, rows,
				             list[i].rows);
			free(rows);
		}
		for (size_t step = 1; step <= len; step++) {
			char *rows = rows_by(list[i].text, len, step);

			ck_assert_str_eq(rows, list[i].rows);
			free(rows);
		}
	}
}
#define EXPECT(list) expect_all(list, sizeof(list) / sizeof((list)[0]))

START_TEST(rows_and_fields)
{
	static const struct expectation list[] = {
	        {"", ""},
	        {"a", "1:a\n"},
	        {"a,b\n1,2\n", "1:a|b\n2:1|2\n"},
	        {"a,b\r\n1,2\r\n", "1:a|b\n2:1|2\n"},
	        {"a,b\n1,2", "1:a|b\n2:1|2\n"},
	        {"a,b\n,\n", "1:a|b\n2:|\n"},
	        {"a,b\n 1 ,\t2\n", "1:a|b\n2: 1 |\t2\n"},
	        {",", "1:|\n"},
	        {"中,文\n一,二\n", "1:中|文\n2:一|二\n"},
	};

	EXPECT(list);
}
END_TEST

START_TEST(quotes)
{
	static const struct expectation list[] = {
	        {"\"a\",\"b\"\n", "1:a|b\n"},
	        {"\"a,b\",c\n", "1:a,b|c\n"},
	        {"\"a\"\"b\"\n", "1:a\"b\n"},
	        {"\"\"\"\"\n", "1:\"\n"},
	        {"\"\"\"\"\"\",\"\"\"x\"\n", "1:\"\"|\"x\n"},
	        {"\"\"\n", "1:\n"},
	        {"\"\"", "1:\n"},
	        {"\"a\nb\"\nc\n", "1:a\nb\n3:c\n"},
	        {"\"a\r\nb\"\r\nc\r\n", "1:a\r\nb\n3:c\n"},
	        {"\"\n\n\",1\nx,\"\r\"\ny,z\n", "1:\n\n|1\n4:x|\r\n5:y|z\n"},
	        {"a,\"b\"", "1:a|b\n"},
	};

	EXPECT(list);
}
END_TEST

START_TEST(empty_lines_are_skipped)
{
	static const struct expectation list[] = {
	        {"\n", ""},
	        {"\n\na\n\n\r\nb\n\n", "3:a\n6:b\n"},
	        {"\r\n\r\n", ""},
	        {"a\n \n", "1:a\n2: \n"},
	        {"a\n\"\"\n", "1:a\n2:\n"},
	};

	EXPECT(list);
}
END_TEST

START_TEST(a_byte_order_mark_at_the_start_is_skipped)
{
	static const struct expectation list[] = {
	        {"\xEF\xBB\xBF", ""},
	        {"\xEF\xBB\xBF"
	         "a,b\n",
	         "1:a|b\n"},
	        {"\xEF\xBB\xBF\"a\",b\n", "1:a|b\n"},
	        {"\xEF\xBB\xBF\n\xEF\xBB\xBF"
	         "a\n",
	         "2:\xEF\xBB\xBF"
	         "a\n"},
	        {"\xEF\xBB\xBF\xEF\xBB\xBF"
	         "a\n",
	         "1:\xEF\xBB\xBF"
	         "a\n"},
	        {"\xEF\xBB\nb\n", "1!encoding@1\n2:b\n"},
	        {"\xEF\xBB\"\nb\n", "1!quote@1\n2:b\n"},
	        {"\xEF\xBB", "1!encoding@1\n"},
	        {"\xEF", "1!encoding@1\n"},
	        {"\xEF\xBC\x8C", "1:，\n"},
	};

	EXPECT(list);
}
END_TEST

START_TEST(bad_rows_are_told_and_left_behind)
{
	static const struct expectation list[] = {
	        {"a,b\n1\n1,2,3\n1,2\n", "1:a|b\n2!count@0\n3!count@0\n4:1|2\n"},
	        {"a,b\n1,x\"y\n3,4\n", "1:a|b\n2!quote@2\n3:3|4\n"},
	        {"a,b\n\"1\"x,2\n3,4\n", "1:a|b\n2!quote@1\n3:3|4\n"},
	        {"a,b\n1,\"2\" \n3,4\n", "1:a|b\n2!quote@2\n3:3|4\n"},
	        {"a,b\n1, \"2\"\n3,4\n", "1:a|b\n2!quote@2\n3:3|4\n"},
	        {"a,b\n\"1\n\"x\n3,4\n", "1:a|b\n2!quote@1\n4:3|4\n"},
	        {"a,b\n1,\"2\n3,4\n", "1:a|b\n2!unclosed@2\n"},
	        {"a\n\"", "1:a\n2!unclosed@1\n"},
	        {"a\n\"x\"\"", "1:a\n2!unclosed@1\n"},
	        {"a,b\n1\r,2\n3,4\n", "1:a|b\n2!return@1\n3:3|4\n"},
	        {"a,b\n1,2\r\r\n3,4\n", "1:a|b\n2!return@2\n3:3|4\n"},
	        {"a,b\n1,\"2\"\rx\n3,4\n", "1:a|b\n2!return@2\n3:3|4\n"},
	        {"a,b\n1,\"2\"\r\r\n3,4\n", "1:a|b\n2!return@2\n3:3|4\n"},
	        {"a,b\n1,2\r", "1:a|b\n2!return@2\n"},
	        {"a,b\n1,\"2\"\r", "1:a|b\n2!return@2\n"},
	        {"a\rb\r", "1!return@1\n"},
	        {"a,b\n1,\xff\n3,4\n", "1:a|b\n2!encoding@2\n3:3|4\n"},
	        {"a,b\n\"\xed\xa0\x80\",2\n3,4\n", "1:a|b\n2!encoding@1\n3:3|4\n"},
	        {"a\"\nb\n", "1!quote@1\n2:b\n"},
	};

	EXPECT(list);
}
END_TEST

START_TEST(a_nul_is_bad_encoding)
{
	char *rows = rows_by("a,b\n1,x\0y\n3,4\n", 14, 3);

	ck_assert_str_eq(rows, "1:a|b\n2!encoding@2\n3:3|4\n");
	free(rows);
}
END_TEST

static bool stop_at_second(void *arg, const struct csv_row *row)
{
	size_t *rows = arg;

	(void)row;
	return ++*rows < 2;
}

START_TEST(the_callback_can_stop)
{
	size_t rows = 0;
	struct csv *c = csv_new(stop_at_second, &rows);

	ck_assert_int_eq(csv_feed(c, "a\nb\nc\n\"d\"\n", 10), CSV_STOPPED);
	ck_assert_int_eq(csv_feed(c, "e\n", 2), CSV_STOPPED);
	ck_assert_int_eq(csv_end(c), CSV_STOPPED);
	ck_assert_uint_eq(rows, 2);
	csv_free(c);
	csv_free(NULL);
}
END_TEST

START_TEST(ending_twice_is_ending_once)
{
	struct buf out = BUF_INIT(100);
	struct csv *c = csv_new(show_row, &out);

	ck_assert_int_eq(csv_feed(c, "a", 1), CSV_GO_ON);
	ck_assert_int_eq(csv_end(c), CSV_GO_ON);
	ck_assert_int_eq(csv_end(c), CSV_GO_ON);
	ck_assert_str_eq(out.data, "1:a\n");
	buf_free(&out);
	csv_free(c);
}
END_TEST

START_TEST(faults_have_words)
{
	static const struct {
		struct csv_row row;
		const char *detail;
	} list[] = {
	        {{.fault = CSV_ROW_TOO_LONG}, "The row is longer than 65536 bytes."},
	        {{.fault = CSV_COLUMN_LIMIT, .n = 70}, "The header has 70 columns; at most 64 are read."},
	        {{.fault = CSV_COLUMN_COUNT, .n = 3, .wanted = 4}, "The row has 3 columns, the header has 4."},
	        {{.fault = CSV_STRAY_QUOTE}, "A quote stands in a field that is not quoted, or text follows a closing quote."},
	        {{.fault = CSV_UNCLOSED_QUOTE}, "A quote is opened and never closed."},
	        {{.fault = CSV_STRAY_RETURN}, "A carriage return stands outside quotes and not at a line end."},
	        {{.fault = CSV_BAD_ENCODING}, "Not valid UTF-8, or contains U+0000."},
	};
	struct csv_row sound = {.fault = CSV_SOUND};
	struct csv_row wide = {.fault = CSV_COLUMN_COUNT, .n = 5, .wanted = 4};
	struct faults faults = {0};

	csv_fault_add(&faults, "x", &sound);
	ck_assert(!faults_any(&faults));
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct buf out = BUF_INIT(1000);

		csv_fault_add(&faults, "x", &list[i].row);
		ck_assert_uint_eq(faults.len, i + 1);
		code_detail(&out, faults.items[i].code, LANG_EN, (const char *const *)faults.items[i].args, FAULT_ARGS);
		ck_assert_str_eq(out.data, list[i].detail);
		buf_free(&out);
	}
	csv_fault_add(&faults, "x", &wide);
	ck_assert_int_eq(faults.items[faults.len - 1].code, CODE_TOO_MANY_COLUMNS);
	faults_free(&faults);
}
END_TEST

CHECK_MAIN("base/csv", rows_and_fields, quotes, empty_lines_are_skipped, a_byte_order_mark_at_the_start_is_skipped,
           bad_rows_are_told_and_left_behind, a_nul_is_bad_encoding, the_callback_can_stop, ending_twice_is_ending_once,
           faults_have_words)
