/* The four kinds of import and their columns: CSV header names, NDJSON members and columns of the staging table in one. */
#ifndef ASSAY_MODEL_STORE_IMPORT_KINDS_H
#define ASSAY_MODEL_STORE_IMPORT_KINDS_H

#include <stdbool.h>
#include <stddef.h>

/* In the order of a nightly feed: each rests on those before it. */
enum import_kind { IMPORT_STORES, IMPORT_BINDINGS, IMPORT_STORE_DAYS, IMPORT_EXAM_PASSES, IMPORT_KINDS };

enum column_kind {
	COLUMN_ID, /* text, 1..64 characters, no control characters */
	COLUMN_NAME, /* text, 1..200 characters, no control characters */
	COLUMN_WORD, /* lower_snake, 1..64 */
	COLUMN_REGION, /* a GB/T 2260 code */
	COLUMN_REGIONS, /* any number of them, separated by ';' (CSV) or an array (NDJSON) */
	COLUMN_STATUS, /* an operating status */
	COLUMN_CREDIT_CODE, /* GB 32100, check character right */
	COLUMN_DAY,
	COLUMN_DAY_OR_NONE, /* empty, null or an absent member: none */
	COLUMN_PAST_DAY, /* not after today, except in a sandbox; nor of a month that was put away */
	COLUMN_COUNT /* 0..2^53-1 */
};

struct import_column {
	const char *name;
	enum column_kind kind;
};

enum { IMPORT_COLUMNS_MAX = 8 };

struct import_form {
	const char *name;
	struct import_column columns[IMPORT_COLUMNS_MAX];
	size_t column_count;
};

extern const char *const import_kind_names[IMPORT_KINDS + 1]; /* NULL-terminated */
const struct import_form *import_form_of(enum import_kind kind);
bool import_kind_by_name(const char *name, enum import_kind *out);

#endif
