/* base/csv: rows, faults and line numbers, in any chunking; against a plain reading of the whole text. */
#include "base/csv.h"

#include "tests/support/check_main.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024 * 1024 };

static const char *const fault_names[] = {"", "too-long", "limit", "count", "quote", "unclosed", "return", "encoding"};

/* A row as text: "2:a|b\n", or "2!quote@1\n" of a bad one. The header and the others look the same. */
static void show(struct buf *out, uint64_t line, enum csv_fault fault, size_t column)
{
	if (fault == CSV_SOUND)
		buf_printf(out, "%" PRIu64 ":", line);
	else
		buf_printf(out, "%" PRIu64 "!%s@%zu", line, fault_names[fault], column);
}

static bool show_row(void *arg, const struct csv_row *row)
{
	struct buf *out = arg;

	show(out, row->line, row->fault, row->column);
	if ((row->fault == CSV_SOUND) != (row->fields != NULL))
		ck_abort_msg("fields of a bad row, or none of a good one");
	for (size_t i = 0; row->fields && i < row->n; i++) {
		if (i)
			buf_putc(out, '|');
		buf_add(out, row->fields[i].p, row->fields[i].len);
	}
	buf_putc(out, '\n');
	return true;
}

/* Feeds a copy on the heap that ends where the piece does, so that a sanitizer sees a read past it. */
static void feed(struct csv *c, const char *p, size_t n)
{
	char *piece = malloc(n ? n : 1);

	if (!piece)
		ck_abort();
	memcpy(piece, p, n);
	if (csv_feed(c, piece, n) != CSV_GO_ON)
		ck_abort_msg("stopped");
	free(piece);
}

/* The rows of a text fed in pieces: bit i of `cuts` cuts after byte i. */
static char *rows_cut(const char *text, size_t n, uint64_t cuts)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	struct csv *c = csv_new(show_row, &out);
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		if (i < 64 && (cuts >> i & 1)) {
			feed(c, text + from, i + 1 - from);
			from = i + 1;
		}
	}
	feed(c, text + from, n - from);
	if (csv_end(c) != CSV_GO_ON)
		ck_abort_msg("stopped");
	csv_free(c);
	return buf_take(&out);
}

/* The same in pieces of `step` bytes. */
static char *rows_by(const char *text, size_t n, size_t step)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	struct csv *c = csv_new(show_row, &out);

	for (size_t i = 0; i < n; i += step)
		feed(c, text + i, n - i < step ? n - i : step);
	if (csv_end(c) != CSV_GO_ON)
		ck_abort_msg("stopped");
	csv_free(c);
	return buf_take(&out);
}

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

/* ---- every small text, against a reading of the whole ---- */

struct oracle {
	const char *s;
	size_t n, at;
	uint64_t line;
	size_t header; /* columns */
	bool begun;
	struct buf *out;
};

static bool line_ends(const struct oracle *o)
{
	return o->at == o->n || o->s[o->at] == '\n' || (o->s[o->at] == '\r' && o->at + 1 < o->n && o->s[o->at + 1] == '\n');
}

/* Takes a quoted field; the fault, if there is one. */
static enum csv_fault quoted(struct oracle *o, struct buf *field, uint64_t *newlines)
{
	for (o->at++;; o->at++) {
		if (o->at == o->n)
			return CSV_UNCLOSED_QUOTE;
		if (o->s[o->at] == '"' && (++o->at == o->n || o->s[o->at] != '"'))
			break;
		buf_putc(field, o->s[o->at]);
		*newlines += o->s[o->at] == '\n';
	}
	if (line_ends(o) || o->s[o->at] == ',')
		return CSV_SOUND;
	return o->s[o->at] == '\r' ? CSV_STRAY_RETURN : CSV_STRAY_QUOTE;
}

/* Takes a plain field. A stray return lets the row go on: a stray quote after it would count first. */
static enum csv_fault plain(struct oracle *o, struct buf *field, bool *stray_return)
{
	for (; !line_ends(o) && o->s[o->at] != ','; o->at++) {
		if (o->s[o->at] == '"')
			return CSV_STRAY_QUOTE;
		*stray_return = *stray_return || o->s[o->at] == '\r';
		buf_putc(field, o->s[o->at]);
	}
	return CSV_SOUND;
}

static void oracle_row(struct oracle *o)
{
	struct buf fields = BUF_INIT(10000);
	enum csv_fault fault = CSV_SOUND;
	uint64_t newlines = 0;
	size_t column = 0;
	size_t stray = 0;

	for (;;) {
		bool stray_here = false;

		column++;
		fault = o->at < o->n && o->s[o->at] == '"' ? quoted(o, &fields, &newlines) : plain(o, &fields, &stray_here);
		if (stray_here && !stray)
			stray = column;
		if (fault || line_ends(o))
			break;
		buf_putc(&fields, '|');
		o->at++;
	}
	if (!fault && stray) {
		fault = CSV_STRAY_RETURN;
		column = stray;
	} else if (!fault && !o->begun) {
		o->header = column;
	} else if (!fault && o->header && column != o->header) {
		fault = CSV_COLUMN_COUNT;
		column = 0;
	}
	o->begun = true;
	show(o->out, o->line, fault, column);
	if (!fault)
		buf_add(o->out, fields.data ? fields.data : "", fields.len);
	buf_putc(o->out, '\n');
	buf_free(&fields);
	while (o->at < o->n && o->s[o->at] != '\n')
		o->at++;
	o->at++;
	o->line += newlines + 1;
}

static void oracle_rows(const char *s, size_t n, struct buf *out)
{
	struct oracle o = {.s = s, .n = n, .line = 1, .out = out};

	while (o.at < n) {
		if (s[o.at] == '\n' || (s[o.at] == '\r' && o.at + 1 < n && s[o.at + 1] == '\n')) {
			o.at += s[o.at] == '\r' ? 2 : 1;
			o.line++;
		} else {
			oracle_row(&o);
		}
	}
}

static void compare(const char *text, size_t n, const struct buf *wanted, char *got)
{
	if (strcmp(got, wanted->data) != 0)
		ck_abort_msg("<<%.*s>> gives\n%swanted\n%s", (int)n, text, got, wanted->data);
	free(got);
}

START_TEST(every_small_text_reads_as_the_plain_reading_does)
{
	static const char alphabet[] = {'a', ',', '"', '\n', '\r'};
	enum { LONGEST = 7, LETTERS = sizeof alphabet };
	struct buf wanted = BUF_INIT(10000);
	size_t count = 1;

	for (size_t n = 1; n <= LONGEST; n++) {
		count *= LETTERS;
		for (size_t which = 0; which < count; which++) {
			char text[LONGEST];
			size_t left = which;

			for (size_t i = 0; i < n; i++, left /= LETTERS)
				text[i] = alphabet[left % LETTERS];
			buf_reset(&wanted);
			buf_puts(&wanted, "");
			oracle_rows(text, n, &wanted);
			compare(text, n, &wanted, rows_cut(text, n, 0));
			compare(text, n, &wanted, rows_by(text, n, 1));
			compare(text, n, &wanted, rows_cut(text, n, which));
		}
	}
	buf_free(&wanted);
}
END_TEST

/* ---- bounds ---- */

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
		buf_putc(text, is_quoted && (i == 0 || i == n - 1) ? '"' : is_quoted && i % 100 == 50 ? '\n' : 'x');
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
	struct seen seen = {0};
	struct csv *c = csv_new(look, &seen);

	ck_assert_int_eq(csv_feed(c, "a", 1), CSV_GO_ON);
	ck_assert_int_eq(csv_end(c), CSV_GO_ON);
	ck_assert_int_eq(csv_end(c), CSV_GO_ON);
	ck_assert_uint_eq(seen.rows, 1);
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
           bad_rows_are_told_and_left_behind, a_nul_is_bad_encoding, every_small_text_reads_as_the_plain_reading_does,
           a_row_of_the_longest_size_and_one_more, a_quote_never_closed_is_one_fault_whatever_its_length,
           as_many_columns_as_allowed_and_one_more, the_callback_can_stop, ending_twice_is_ending_once, faults_have_words)
