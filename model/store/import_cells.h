/* One value of an imported row: from text (CSV) or from JSON (NDJSON), checked by its column's kind. */
#ifndef ASSAY_MODEL_STORE_IMPORT_CELLS_H
#define ASSAY_MODEL_STORE_IMPORT_CELLS_H

#include "base/faults.h"
#include "model/rules/day.h"
#include "model/rules/region.h"
#include "model/store/import_errors.h"
#include "model/store/import_kinds.h"

#include <jansson.h>

enum { IMPORT_REGIONS_MAX = 100 /* a store ships from */ };

enum cell_type { CELL_NONE, CELL_TEXT, CELL_INT, CELL_DAY, CELL_REGIONS };

struct cell {
	enum cell_type type;
	const char *p; /* CELL_TEXT: borrowed from the row */
	size_t len;
	int64_t n; /* CELL_INT; CELL_DAY: days since 1970-01-01 */
	size_t region_count;
	region regions[IMPORT_REGIONS_MAX];
};

/* Why a value is bad. */
struct cell_fault {
	enum code code;
	size_t nargs;
	char args[2][IMPORT_ERROR_VALUE_MAX];
};

struct cell_limits {
	day today;
	day last_day;  /* a COLUMN_PAST_DAY may not be later */
	day first_day; /* nor earlier: figures before it were put away; DAY_NONE: none were */
};

/* False: *fault says why, *out is not to be used. */
bool cell_of_text(struct cell *out, enum column_kind kind, const char *p, size_t len, const struct cell_limits *limits,
                  struct cell_fault *fault) __attribute__((warn_unused_result));
bool cell_of_json(struct cell *out, enum column_kind kind, const json_t *value, const struct cell_limits *limits,
                  struct cell_fault *fault) __attribute__((warn_unused_result));

void cell_fault_set(struct cell_fault *fault, enum code code, const char *arg0, const char *arg1); /* arguments may be NULL */
/* The first argument is a value of the row, not NUL-terminated: cut between characters when it is long. */
void cell_fault_quote(struct cell_fault *fault, enum code code, const char *p, size_t len, const char *arg1);

#endif
