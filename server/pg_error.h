/* What PostgreSQL says of a failure, for the log: without what it quotes of the data. A constraint's detail is the whole row, a
 * context may be a line of JSON, a message the value itself; and any of these may be somebody's contact. */
#ifndef ASSAY_SERVER_PG_ERROR_H
#define ASSAY_SERVER_PG_ERROR_H

#include <libpq-fe.h>
#include <stddef.h>

enum { PG_ERROR_TEXT = 1000 };

/* The message, which constraint of which table, where in a statement, and which functions led there. Cut to fit. */
void pg_error_text(const PGresult *res, char out[PG_ERROR_TEXT]);

#endif
