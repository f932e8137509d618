/* What is wrong with an import's rows: the first IMPORT_ERRORS_MAX in the order of the file. */
#ifndef ASSAY_MODEL_STORE_IMPORT_ERRORS_H
#define ASSAY_MODEL_STORE_IMPORT_ERRORS_H

#include "base/faults.h"

#include <stdint.h>

enum {
	IMPORT_ERRORS_MAX = 1000,
	IMPORT_ERROR_VALUE_MAX = 120 /* bytes of a row's value that an error quotes */
};

struct import_error {
	int64_t line;
	int seq; /* orders the errors of one line */
	char *column; /* NULL: the whole row */
	enum code code;
	char *args[FAULT_ARGS]; /* NULL-padded */
};

struct import_errors {
	struct import_error *items; /* owned */
	size_t len;
	bool failed; /* out of memory */
};

void import_errors_free(struct import_errors *e);
/* Copies what it is given; does nothing once it is full. */
void import_errors_add(struct import_errors *e, int64_t line, int seq, const char *column, enum code code,
                       const char *const *args, size_t nargs);
/* Fills the empty `out` from two lists that are in order. */
void import_errors_merge(struct import_errors *out, const struct import_errors *a, const struct import_errors *b);

/* Appends the array that import_keep_errors() (SQL) takes. */
void import_errors_for_sql(struct buf *out, const struct import_errors *e);
/* Appends one as callers see it: {"pointer","line","column","code","detail"}. */
void import_error_json(struct buf *out, const struct import_error *e, enum lang lang);

#endif
