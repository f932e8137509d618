/* A statement: its name, its SQL and how it may run. One constant a statement, in model/store/, beside what binds it.
 * It is prepared on each connection at its first use there. */
#ifndef ASSAY_SERVER_STATEMENT_H
#define ASSAY_SERVER_STATEMENT_H

#include <libpq-fe.h>
#include <stdbool.h>

enum { STATEMENT_PARAMS_MAX = 16 };

struct statement {
	const char *name; /* unique; also its name as a prepared statement and in the metrics */
	const char *sql;
	int params; /* how many $n it takes, all sent as text */
	/* A read by key whose one parameter is `text[]` of keys and whose first result column is the key: those that wait in one
	 * turn of a loop go as one statement. See request_read_key(). */
	bool by_keys;
	/* May take longer than a point read (a list with filters, an aggregate): runs on a connection of its own, so that point
	 * reads are not held up behind it. */
	bool slow;
	/* What it answers is sent in the binary format. Only for blocking connections (db_run): rows_text() and its like read text. */
	bool binary;
};

/* What a statement answered. Borrowed: valid until the continuation that was given it returns. Text format. */
struct rows {
	const PGresult *pg;
	int first; /* index of the first row that is ours */
	int count;
};

/* A value, or NULL for SQL NULL. Column by position. */
const char *rows_text(const struct rows *r, int row, int column);
long long rows_int(const struct rows *r, int row, int column); /* 0 for NULL */
bool rows_bool(const struct rows *r, int row, int column);

#endif
