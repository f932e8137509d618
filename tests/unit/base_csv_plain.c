/* base/csv against a plain reading of the whole text, for every small text there is. */
#include "tests/unit/base_csv_rows.h"

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

CHECK_MAIN("base/csv_plain", every_small_text_reads_as_the_plain_reading_does)
