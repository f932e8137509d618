/* Rows of an import out of its bytes: CSV or NDJSON, each row checked column by column. Good rows go on as cells, what is wrong
 * with the others is collected. */
#ifndef ASSAY_MODEL_STORE_IMPORT_ROWS_H
#define ASSAY_MODEL_STORE_IMPORT_ROWS_H

#include "model/store/import_cells.h"

/* `cells` has the columns of the kind, in its order; borrowed. False: stop reading. */
typedef bool (*import_row_fn)(void *arg, int64_t line, const struct cell *cells);

struct import_rows_options {
	enum import_kind kind;
	bool ndjson;
	struct cell_limits limits;
	struct import_errors *errors;
	import_row_fn row;
	void *arg;
};

enum import_rows_status { ROWS_GO_ON, ROWS_STOPPED /* by `row` */, ROWS_BAD_HEADER, ROWS_NO_MEMORY };

struct import_rows;
struct import_rows *import_rows_new(const struct import_rows_options *o); /* NULL when out of memory */
void import_rows_free(struct import_rows *r);

/* Anything but ROWS_GO_ON is final. */
enum import_rows_status import_rows_feed(struct import_rows *r, const char *p, size_t n) __attribute__((warn_unused_result));
enum import_rows_status import_rows_end(struct import_rows *r) __attribute__((warn_unused_result)); /* no more bytes */

int64_t import_rows_received(const struct import_rows *r); /* rows, good or bad, the header not among them */
int64_t import_rows_rejected(const struct import_rows *r);

#endif
