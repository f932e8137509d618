/* Reads of imports. */
#ifndef ASSAY_MODEL_STORE_IMPORT_READS_H
#define ASSAY_MODEL_STORE_IMPORT_READS_H

#include "server/statement.h"

extern const struct statement IMPORT_BY_ID; /* by_keys: id; body */
/* $1 after, $2 limit+1, $3 kind or NULL, $4 status or NULL. Columns: cursor, body. Newest first. */
extern const struct statement IMPORT_LIST;
/* $1 import, $2 after, $3 limit+1. Columns: cursor, line, column or NULL, code, up to three arguments. In the file's order. */
extern const struct statement IMPORT_ERROR_LIST;
/* The answer to a POST, kept under its idempotency key. $1 context, $2 status, $3 code, $4 arguments, $5 extra, $6 body,
 * $7 location. Columns: API_WRITE_COLUMNS. */
extern const struct statement IMPORT_ANSWER;

#endif
