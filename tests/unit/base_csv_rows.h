/* What the tests of base/csv share: rows as text, and every way to cut a text into pieces. */
#ifndef ASSAY_TESTS_UNIT_BASE_CSV_ROWS_H
#define ASSAY_TESTS_UNIT_BASE_CSV_ROWS_H

#include "base/buf.h"
#include "base/csv.h"

#include "tests/support/check_main.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024 * 1024 };

/* A row as text: "2:a|b\n", or "2!quote@1\n" of a bad one. The header and the others look the same. */
static inline void show(struct buf *out, uint64_t line, enum csv_fault fault, size_t column)
{
	static const char *const fault_names[] = {"", "too-long", "limit", "count", "quote", "unclosed", "return", "encoding"};

	if (fault == CSV_SOUND)
		buf_printf(out, "%" PRIu64 ":", line);
	else
		buf_printf(out, "%" PRIu64 "!%s@%zu", line, fault_names[fault], column);
}

static inline bool show_row(void *arg, const struct csv_row *row)
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
static inline void feed(struct csv *c, const char *p, size_t n)
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
static inline char *rows_cut(const char *text, size_t n, uint64_t cuts)
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
static inline char *rows_by(const char *text, size_t n, size_t step)
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

#endif
