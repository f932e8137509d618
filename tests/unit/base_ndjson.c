/* base/ndjson: lines, values and faults, in any chunking. */
#include "base/ndjson.h"

#include "base/json_tree.h"
#include "tests/support/check_main.h"

#include <inttypes.h>
#include <string.h>

/* "2 {...}\n" of a value, "2!code pointer arg0 arg1 arg2\n" of a fault. */
static bool show_row(void *arg, const struct ndjson_row *row)
{
	struct buf *out = arg;
	struct json_writer w = json_writer_on(out);

	if ((row->value != NULL) == faults_any(row->faults))
		ck_abort_msg("a value and a fault, or neither");
	if (row->value) {
		buf_printf(out, "%" PRIu64 " ", row->line);
		jw_tree(&w, row->value);
		buf_putc(out, '\n');
	}
	for (size_t i = 0; i < row->faults->len; i++) {
		const struct fault *it = &row->faults->items[i];

		buf_printf(out, "%" PRIu64 "!%s %s", row->line, code_name(it->code), it->pointer);
		for (size_t k = 0; k < FAULT_ARGS && it->args[k]; k++)
			buf_printf(out, " %s", it->args[k]);
		buf_putc(out, '\n');
	}
	return true;
}

static char *rows_by(const char *text, size_t n, size_t first, size_t step)
{
	struct buf out = BUF_INIT(100000);
	struct ndjson *r = ndjson_new(show_row, &out);

	for (size_t i = 0, size = first; i < n; i += size, size = step) {
		size_t len = n - i < size ? n - i : size;
		char *piece = malloc(len); /* so that a sanitizer sees a read past its end */

		ck_assert_ptr_nonnull(memcpy(piece, text + i, len));
		ck_assert_int_eq(ndjson_feed(r, piece, len), NDJSON_GO_ON);
		free(piece);
	}
	ck_assert_int_eq(ndjson_end(r), NDJSON_GO_ON);
	ck_assert_int_eq(ndjson_end(r), NDJSON_GO_ON);
	ndjson_free(r);
	return buf_take(&out);
}

static void expect(const char *text, const char *wanted)
{
	size_t n = strlen(text);

	for (size_t first = 1; first <= n; first++) {
		for (size_t step = 1; step <= n; step += n) { /* one cut, and all of them after it */
			char *rows = rows_by(text, n, first, step);

			ck_assert_msg(strcmp(rows, wanted) == 0, "%s\n gives\n%swanted\n%s", text, rows, wanted);
			free(rows);
		}
	}
}

START_TEST(lines_and_values)
{
	char *none = rows_by("", 0, 1, 1);

	ck_assert_str_eq(none, "");
	free(none);
	expect("{\"a\":1}\n[2]\r\n3", "1 {\"a\":1}\n2 [2]\n3 3\n");
	expect("\n\n  \t\n{}\n\r\n{}\n", "4 {}\n6 {}\n");
	expect("\xEF\xBB\xBF{}\n", "1 {}\n");
	expect("\xEF\xBB\xBF", "");
	expect("\n", "");
}
END_TEST

START_TEST(bad_lines_are_told_with_the_streams_line)
{
	expect("{}\n{\"a\":}\n{}\n", "1 {}\n2!invalid_json  unexpected token near '}' 2 6\n3 {}\n");
	expect("\n\n{\"a\":1,\"a\":2}\n{}", "3!duplicate_member /a 3 8\n4 {}\n");
	expect("{\"a\":\"\xff\"}\n{}\n", "1!bad_encoding /a\n2 {}\n");
	expect("{}\n\xEF\xBB\xBF{}\n", "1 {}\n2!invalid_json  invalid token near '\xEF\xBB\xBF' 2 1\n");
	expect("{}{}\n[", "1!invalid_json  end of file expected near '{' 1 3\n"
	                  "2!invalid_json  ']' expected near end of file 2 1\n");
}
END_TEST

struct seen {
	size_t good, bad;
	uint64_t line;
};

static bool look(void *arg, const struct ndjson_row *row)
{
	struct seen *seen = arg;

	seen->good += row->value != NULL;
	seen->bad += row->value == NULL && row->faults->items[0].code == CODE_ROW_TOO_LONG;
	seen->line = row->line;
	return true;
}

/* [1], a string that makes a line of n bytes, [2]. */
static struct seen seen_of(size_t n, const char *line_end, size_t step)
{
	struct seen seen = {0};
	struct ndjson *r = ndjson_new(look, &seen);
	struct buf text = BUF_INIT(1000000);

	buf_printf(&text, "[1]\n\"%*s\"%s[2]%s", (int)n - 2, "x", line_end, line_end);
	for (size_t i = 0; i < text.len; i += step)
		ck_assert_int_eq(ndjson_feed(r, text.data + i, text.len - i < step ? text.len - i : step), NDJSON_GO_ON);
	ck_assert_int_eq(ndjson_end(r), NDJSON_GO_ON);
	ndjson_free(r);
	buf_free(&text);
	return seen;
}

START_TEST(a_line_of_the_longest_size_and_more)
{
	static const size_t steps[] = {1, 1000, 65536, 65537, 65541, 1000000};
	static const char *const ends[] = {"\n", "\r\n"};

	for (size_t i = 0; i < 2 * sizeof steps / sizeof steps[0]; i++) {
		const char *end = ends[i & 1];
		struct seen seen = seen_of(NDJSON_LINE_MAX, end, steps[i / 2]);

		ck_assert_uint_eq(seen.good, 3);
		ck_assert_uint_eq(seen.bad, 0);
		for (size_t extra = 1; extra < 7; extra++) {
			seen = seen_of(NDJSON_LINE_MAX + extra, end, steps[i / 2]);
			ck_assert_uint_eq(seen.good, 2);
			ck_assert_uint_eq(seen.bad, 1);
			ck_assert_uint_eq(seen.line, 3);
		}
	}
}
END_TEST

static bool stop(void *arg, const struct ndjson_row *row)
{
	(void)row;
	++*(size_t *)arg;
	return false;
}

START_TEST(the_callback_can_stop)
{
	size_t rows = 0;
	struct ndjson *r = ndjson_new(stop, &rows);

	ck_assert_int_eq(ndjson_feed(r, "1\n2\n3", 5), NDJSON_STOPPED);
	ck_assert_int_eq(ndjson_feed(r, "4\n", 2), NDJSON_STOPPED);
	ck_assert_int_eq(ndjson_end(r), NDJSON_STOPPED);
	ck_assert_uint_eq(rows, 1);
	ndjson_free(r);
	ndjson_free(NULL);
}
END_TEST

CHECK_MAIN("base/ndjson", lines_and_values, bad_lines_are_told_with_the_streams_line, a_line_of_the_longest_size_and_more,
           the_callback_can_stop)
