#include "base/csv.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Where the grammar stands inside a row. Kept over calls, so that a row may be cut anywhere. */
enum state {
	FIELD_START,
	PLAIN, /* in a field that is not quoted */
	QUOTED, /* inside quotes */
	QUOTE_CLOSED, /* after a quote inside quotes: the end of the field, or the first of a doubled one */
	CLOSED_CR, /* after a closing quote and a carriage return */
	SKIPPING /* after a fault: up to the end of the line */
};

static const char byte_order_mark[] = "\xEF\xBB\xBF";
enum { MARK_BYTES = sizeof byte_order_mark - 1 };

struct csv {
	csv_row_fn fn;
	void *arg;
	enum csv_status status;
	uint64_t line; /* on which the row at hand begins */
	size_t wanted; /* columns of the header; 0 before it */
	bool begun; /* the first row was there */
	unsigned mark; /* bytes of the byte order mark matched; MARK_BYTES once that is settled */
	/* the row at hand */
	bool in_row; /* an earlier call began it: its bytes so far are in `carry` */
	bool too_long; /* and are no longer kept */
	enum state state;
	enum csv_fault fault;
	size_t column; /* that the grammar stands in, from 0; stays where a fault is */
	uint64_t newlines; /* inside its quotes */
	struct buf carry;
	struct buf unquoted; /* fields whose doubled quotes had to be taken out */
	struct csv_field fields[CSV_COLUMNS_MAX];
};

struct csv *csv_new(csv_row_fn fn, void *arg)
{
	struct csv *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->fn = fn;
	c->arg = arg;
	c->line = 1;
	c->carry = BUF_INIT(CSV_ROW_MAX + 1); /* and the CR of its line end */
	c->unquoted = BUF_INIT(CSV_ROW_MAX);
	return c;
}

void csv_free(struct csv *c)
{
	if (!c)
		return;
	buf_free(&c->carry);
	buf_free(&c->unquoted);
	free(c);
}

/* ---- a whole row into fields ---- */

/* Where a row's fields go; columns past the bound are counted and not kept. */
static void put_field(struct csv *c, size_t *n, const char *p, size_t len)
{
	if (*n < CSV_COLUMNS_MAX)
		c->fields[*n] = (struct csv_field){p, len};
	++*n;
}

/* Takes the quoted field that begins at p; returns where it ends. Doubled quotes are taken out in `unquoted`, which has room
 * for the whole row: its bytes do not move. */
static const char *quoted_field(struct csv *c, size_t *n, const char *p, const char *end)
{
	const char *from = ++p;
	const char *quote = memchr(p, '"', (size_t)(end - p));
	size_t copied = c->unquoted.len;

	assert(quote); /* the grammar closed it */
	if (quote + 1 == end || quote[1] != '"') {
		put_field(c, n, from, (size_t)(quote - from));
		return quote + 1;
	}
	while (quote + 1 < end && quote[1] == '"') {
		buf_add(&c->unquoted, from, (size_t)(quote + 1 - from));
		from = quote + 2;
		quote = memchr(from, '"', (size_t)(end - from));
		assert(quote);
	}
	buf_add(&c->unquoted, from, (size_t)(quote - from));
	put_field(c, n, c->unquoted.data + copied, c->unquoted.len - copied);
	return quote + 1;
}

/* Splits a row that the grammar accepted. Returns the column, from 1, with a stray carriage return; 0 when there is none. */
static size_t split(struct csv *c, const char *p, size_t len, size_t *n)
{
	const char *end = p + len;
	bool has_return = memchr(p, '\r', len) != NULL;
	size_t stray = 0;

	for (*n = 0;; p++) {
		if (p < end && *p == '"') {
			p = quoted_field(c, n, p, end);
		} else {
			const char *comma = memchr(p, ',', (size_t)(end - p));
			size_t field_len = (size_t)((comma ? comma : end) - p);

			put_field(c, n, p, field_len);
			if (has_return && !stray && memchr(p, '\r', field_len))
				stray = *n;
			p += field_len;
		}
		if (p == end)
			return stray;
	}
}

/* The column, from 1, that is not good text. A row that is not, with every field that is, cannot be: what stands between the
 * fields is ASCII. */
static size_t bad_text_column(const struct csv *c, size_t n)
{
	for (size_t i = 0; i < n && i < CSV_COLUMNS_MAX; i++) {
		if (utf8_check(c->fields[i].p, c->fields[i].len, NULL) != UTF8_OK)
			return i + 1;
	}
	return 0;
}

static void judge_columns(struct csv *c, struct csv_row *row)
{
	if (!row->is_header && c->wanted && row->n != c->wanted)
		row->fault = CSV_COLUMN_COUNT;
	else if (row->n > CSV_COLUMNS_MAX)
		row->fault = CSV_COLUMN_LIMIT;
	else if (row->is_header)
		row->wanted = c->wanted = row->n;
}

static void read_row(struct csv *c, struct csv_row *row, const char *p, size_t len)
{
	size_t stray;

	buf_reset(&c->unquoted);
	if (len && memchr(p, '"', len) && !buf_reserve(&c->unquoted, len)) {
		c->status = CSV_NO_MEMORY;
		return;
	}
	stray = split(c, p, len, &row->n);
	if (stray) {
		row->fault = CSV_STRAY_RETURN;
		row->column = stray;
	} else if (utf8_check(p, len, NULL) != UTF8_OK) {
		row->fault = CSV_BAD_ENCODING;
		row->column = bad_text_column(c, row->n);
	} else {
		judge_columns(c, row);
	}
	if (row->fault == CSV_SOUND)
		row->fields = c->fields;
}

/* ---- rows out of bytes ---- */

static void next_row(struct csv *c)
{
	c->line += c->newlines + 1;
	c->in_row = false;
	c->too_long = false;
	c->state = FIELD_START;
	c->fault = CSV_SOUND;
	c->column = 0;
	c->newlines = 0;
	buf_reset(&c->carry);
}

/* Hands out the row of these bytes, without its line feed. */
static void emit(struct csv *c, const char *p, size_t len, bool ended_by_lf)
{
	struct csv_row row = {.line = c->line, .is_header = !c->begun, .wanted = c->wanted};

	if (ended_by_lf && len && p[len - 1] == '\r')
		len--;
	if (len > CSV_ROW_MAX)
		c->too_long = true;
	if (c->fault) {
		row.fault = c->fault;
		row.column = c->column + 1;
	} else if (c->too_long) {
		row.fault = CSV_ROW_TOO_LONG;
	} else if (len == 0) {
		return;
	} else {
		read_row(c, &row, p, len);
	}
	c->begun = true;
	if (c->status == CSV_GO_ON && !c->fn(c->arg, &row))
		c->status = CSV_STOPPED;
}

static enum state refuse(struct csv *c, enum csv_fault fault)
{
	c->fault = fault;
	return SKIPPING;
}

static enum state next_field(struct csv *c)
{
	c->column++;
	return FIELD_START;
}

/* One byte that is no line feed, outside quotes. */
static enum state after(struct csv *c, char ch)
{
	switch (c->state) {
	case FIELD_START:
		if (ch == '"')
			return QUOTED;
		return ch == ',' ? next_field(c) : PLAIN;
	case PLAIN:
		if (ch == '"')
			return refuse(c, CSV_STRAY_QUOTE);
		return ch == ',' ? next_field(c) : PLAIN;
	case QUOTE_CLOSED:
		if (ch == '"')
			return QUOTED;
		if (ch == '\r')
			return CLOSED_CR;
		return ch == ',' ? next_field(c) : refuse(c, CSV_STRAY_QUOTE);
	case CLOSED_CR:
		return refuse(c, CSV_STRAY_RETURN);
	case QUOTED:
	case SKIPPING:
		break;
	}
	return c->state;
}

/* Runs the grammar over the bytes up to and with the line feed that ends the row; returns how many, n when it is not there. */
static size_t scan(struct csv *c, const char *p, size_t n, bool *ended)
{
	for (size_t i = 0; i < n; i++) {
		if (c->state == QUOTED) {
			if (p[i] == '"')
				c->state = QUOTE_CLOSED;
			else if (p[i] == '\n')
				c->newlines++;
		} else if (p[i] == '\n') {
			*ended = true;
			return i + 1;
		} else {
			c->state = after(c, p[i]);
		}
	}
	*ended = false;
	return n;
}

/* Keeps what there is of a row whose end has not come. */
static void keep(struct csv *c, const char *p, size_t n)
{
	c->in_row = true;
	if (c->too_long)
		return;
	if (n > c->carry.max - c->carry.len) {
		c->too_long = true;
		buf_reset(&c->carry);
		return;
	}
	buf_add(&c->carry, p, n);
	if (c->carry.failed)
		c->status = CSV_NO_MEMORY;
}

/* Takes one row, or what there is of it, by the whole grammar. Returns how many bytes that were. */
static size_t take_row(struct csv *c, const char *p, size_t n)
{
	bool ended;
	size_t used = scan(c, p, n, &ended);

	if (!ended) {
		keep(c, p, n);
		return n;
	}
	if (c->in_row) {
		keep(c, p, used - 1);
		if (c->status == CSV_GO_ON)
			emit(c, c->carry.data ? c->carry.data : "", c->carry.len, true);
	} else {
		emit(c, p, used - 1, true);
	}
	next_row(c);
	return used;
}

/* Takes whole rows without a quote in them, which need no grammar; stops before the first other. Returns how many bytes. */
static size_t take_plain_rows(struct csv *c, const char *p, size_t n)
{
	const char *quote = memchr(p, '"', n);
	const char *end = quote ? quote : p + n;
	const char *at = p;

	while (c->status == CSV_GO_ON) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		if (!lf)
			break;
		emit(c, at, (size_t)(lf - at), true);
		next_row(c);
		at = lf + 1;
	}
	return (size_t)(at - p);
}

/* Takes the byte order mark, or what there is of it. Bytes that turned out not to be one begin the first row. */
static size_t take_mark(struct csv *c, const char *p, size_t n)
{
	size_t i = 0;
	unsigned matched;

	while (i < n && c->mark < MARK_BYTES && p[i] == byte_order_mark[c->mark]) {
		c->mark++;
		i++;
	}
	if (i == n || c->mark == MARK_BYTES)
		return i;
	matched = c->mark;
	c->mark = MARK_BYTES;
	if (matched)
		(void)take_row(c, byte_order_mark, matched);
	return i;
}

enum csv_status csv_feed(struct csv *c, const char *p, size_t n)
{
	if (c->status == CSV_GO_ON && n && c->mark < MARK_BYTES) {
		size_t used = take_mark(c, p, n);

		p += used;
		n -= used;
	}
	while (c->status == CSV_GO_ON && n) {
		size_t used = c->in_row ? 0 : take_plain_rows(c, p, n);

		if (c->status == CSV_GO_ON && used < n)
			used += take_row(c, p + used, n - used);
		p += used;
		n -= used;
	}
	return c->status;
}

enum csv_status csv_end(struct csv *c)
{
	if (c->status == CSV_GO_ON && c->mark > 0 && c->mark < MARK_BYTES)
		(void)take_row(c, byte_order_mark, c->mark);
	c->mark = MARK_BYTES;
	if (c->status != CSV_GO_ON || !c->in_row)
		return c->status;
	if (c->state == QUOTED)
		(void)refuse(c, CSV_UNCLOSED_QUOTE);
	else if (c->state == CLOSED_CR)
		(void)refuse(c, CSV_STRAY_RETURN);
	emit(c, c->carry.data ? c->carry.data : "", c->carry.len, false);
	next_row(c);
	return c->status;
}
