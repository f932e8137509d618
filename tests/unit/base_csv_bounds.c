/* base/csv at its bounds: the longest row, the most columns, and one more. */
#include "base/csv.h"

#include "base/buf.h"
#include "tests/support/check_main.h"

enum { TEXT_MAX = 4 * 1024 * 1024 };

struct seen {
	size_t rows, bad, longest;
	uint64_t line;
	enum csv_fault fault;
};

static bool look(void *arg, const struct csv_row *row)
{
	struct seen *seen = arg;

	seen->rows += row->fault == CSV_SOUND;
	seen->bad += row->fault != CSV_SOUND;
	if (row->fault)
		seen->fault = row->fault;
	seen->line = row->line;
	for (size_t i = 0; row->fields && i < row->n; i++)
		seen->longest = row->fields[i].len > seen->longest ? row->fields[i].len : seen->longest;
	return true;
}

static struct seen seen_by(const struct buf *text, size_t step)
{
	struct seen seen = {0};
	struct csv *c = csv_new(look, &seen);

	for (size_t i = 0; i < text->len; i += step)
		ck_assert_int_eq(csv_feed(c, text->data + i, text->len - i < step ? text->len - i : step), CSV_GO_ON);
	ck_assert_int_eq(csv_end(c), CSV_GO_ON);
	csv_free(c);
	return seen;
}

static const size_t steps[] = {1, 7, 4096, 65535, 65536, 65537, 65538, 1000000};
enum { STEPS = sizeof steps / sizeof steps[0] };

/* A header, a row of one field of `n` bytes as it stands in the file, and a row after it. */
static void long_row(struct buf *text, size_t n, bool is_quoted, const char *line_end)
{
	buf_reset(text);
	buf_puts(text, "head\n");
	for (size_t i = 0; i < n; i++)
		buf_putc(text, (char)(is_quoted && (i == 0 || i == n - 1) ? '"' : is_quoted && i % 100 == 50 ? '\n' : 'x'));
	buf_puts(text, line_end);
	buf_puts(text, "tail\n");
}

START_TEST(a_row_of_the_longest_size_and_one_more)
{
	static const char *const ends[] = {"\n", "\r\n"};
	struct buf text = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < (size_t)STEPS * 2 * 2; i++) {
		bool is_quoted = i & 1;
		size_t step = steps[i >> 2];

		long_row(&text, CSV_ROW_MAX, is_quoted, ends[i >> 1 & 1]);
		struct seen seen = seen_by(&text, step);

		ck_assert_uint_eq(seen.rows, 3);
		ck_assert_uint_eq(seen.bad, 0);
		ck_assert_uint_eq(seen.longest, CSV_ROW_MAX - 2 * (size_t)is_quoted);
		for (size_t extra = 1; extra < 4; extra++) {
			long_row(&text, CSV_ROW_MAX + extra, is_quoted, ends[i >> 1 & 1]);
			seen = seen_by(&text, step);
			ck_assert_uint_eq(seen.rows, 2);
			ck_assert_uint_eq(seen.bad, 1);
			ck_assert_int_eq(seen.fault, CSV_ROW_TOO_LONG);
			ck_assert_uint_eq(seen.line, is_quoted ? 3 + (CSV_ROW_MAX + extra - 51) / 100 + 1 : 3);
		}
	}
	buf_free(&text);
}
END_TEST

START_TEST(a_quote_never_closed_is_one_fault_whatever_its_length)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	buf_puts(&text, "a,b\n1,\"2\n");
	for (int i = 0; i < 200000; i++)
		buf_puts(&text, "3,4\n");
	for (size_t i = 3; i < STEPS; i++) {
		struct seen seen = seen_by(&text, steps[i]);

		ck_assert_uint_eq(seen.rows, 1);
		ck_assert_uint_eq(seen.bad, 1);
		ck_assert_int_eq(seen.fault, CSV_UNCLOSED_QUOTE);
		ck_assert_uint_eq(seen.line, 2);
	}
	buf_free(&text);
}
END_TEST

static void columns(struct buf *text, size_t n)
{
	for (size_t i = 1; i < n; i++)
		buf_puts(text, "c,");
	buf_puts(text, "c\n");
}

START_TEST(as_many_columns_as_allowed_and_one_more)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct seen seen;

	columns(&text, CSV_COLUMNS_MAX);
	columns(&text, CSV_COLUMNS_MAX);
	columns(&text, CSV_COLUMNS_MAX + 1);
	seen = seen_by(&text, 1000);
	ck_assert_uint_eq(seen.rows, 2);
	ck_assert_uint_eq(seen.bad, 1);
	ck_assert_int_eq(seen.fault, CSV_COLUMN_COUNT);
	buf_reset(&text);
	columns(&text, CSV_COLUMNS_MAX + 1);
	columns(&text, 30000);
	columns(&text, 2);
	seen = seen_by(&text, 1000);
	ck_assert_uint_eq(seen.rows, 1);
	ck_assert_uint_eq(seen.bad, 2);
	ck_assert_int_eq(seen.fault, CSV_COLUMN_LIMIT);
	buf_free(&text);
}
END_TEST

CHECK_MAIN("base/csv_bounds", a_row_of_the_longest_size_and_one_more, a_quote_never_closed_is_one_fault_whatever_its_length,
           as_many_columns_as_allowed_and_one_more)
