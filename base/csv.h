/* A strict, streaming CSV reader (RFC 4180): bytes go in, in pieces of any size, rows come out, always the same ones.
 *
 * Fields are separated by commas; a field may be quoted, and then hold commas, line ends and quotes (doubled). Lines end in LF
 * or CRLF; the last one need not end. A UTF-8 byte order mark at the start is skipped. Empty lines are skipped everywhere.
 * The first row is the header; every later one must have as many columns. Nothing is trimmed. Text is valid UTF-8 without
 * U+0000.
 *
 * A bad row is reported, and reading goes on after the end of its line. Only what was inside quotes cannot be left early:
 * there a row that is too long, or a quote that is never closed, reaches as far as its quotes do, so that text inside a
 * quoted field is never taken for a row. */
#ifndef ASSAY_BASE_CSV_H
#define ASSAY_BASE_CSV_H

#include "base/faults.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CSV_ROW_MAX = 64 * 1024, /* bytes of a row as it stands in the file, without its line end */
	CSV_COLUMNS_MAX = 64
};

enum csv_fault {
	CSV_SOUND,
	CSV_ROW_TOO_LONG,
	CSV_COLUMN_LIMIT, /* the header has more than CSV_COLUMNS_MAX */
	CSV_COLUMN_COUNT, /* not as many as the header has */
	CSV_STRAY_QUOTE, /* a quote inside a field that is not quoted, or text after a closing quote */
	CSV_UNCLOSED_QUOTE, /* the file ends inside quotes */
	CSV_STRAY_RETURN, /* a carriage return that is neither quoted nor part of a line end */
	CSV_BAD_ENCODING /* not UTF-8, or U+0000 */
};

struct csv_field {
	const char *p; /* not NUL-terminated; quotes taken off */
	size_t len;
};

struct csv_row {
	uint64_t line; /* on which the row begins, from 1 */
	bool is_header;
	enum csv_fault fault;
	size_t column; /* which the fault is in, from 1; 0 when it is the whole row's */
	size_t n; /* columns; of a bad row what was counted, or 0 */
	size_t wanted; /* columns of the header; 0 before there is a good one */
	const struct csv_field *fields; /* n of them, until the callback returns; NULL in a bad row */
};

typedef bool (*csv_row_fn)(void *arg, const struct csv_row *row); /* false: stop reading */

enum csv_status { CSV_GO_ON, CSV_STOPPED /* by the callback */, CSV_NO_MEMORY };

struct csv;
struct csv *csv_new(csv_row_fn fn, void *arg); /* NULL when out of memory */
void csv_free(struct csv *c);

/* Anything but CSV_GO_ON is final: later calls answer the same and do nothing. */
enum csv_status csv_feed(struct csv *c, const char *p, size_t n) __attribute__((warn_unused_result));
enum csv_status csv_end(struct csv *c)
        __attribute__((warn_unused_result)); /* no more bytes: the last row, if it has no line end */

/* Adds a bad row's fault, with `pointer` for where. */
void csv_fault_add(struct faults *faults, const char *pointer, const struct csv_row *row);

#endif
