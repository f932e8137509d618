/* A blocking connection, for worker threads and the command line. Statements are prepared at first use. */
#ifndef ASSAY_SERVER_DB_H
#define ASSAY_SERVER_DB_H

#include "server/statement.h"

struct db;

enum db_status {
	DB_OK,
	DB_UNAVAILABLE, /* connection refused or lost, or the server is shutting down: nothing is known about what ran last */
	DB_RETRY,       /* serialization failure, deadlock, lock timeout: the whole transaction may be tried again */
	DB_FAILED       /* anything else: our bug, or a constraint; db_sqlstate() and the log say which */
};

struct db *db_open(const char *url); /* connects lazily; NULL only when out of memory */
struct db *db_open_like(const struct db *other); /* another connection to the same database */
void db_close(struct db *db);
/* SQL that sets the session up: run now, and whenever the connection had to be made anew, before anything else. It is copied. */
enum db_status db_set_up(struct db *db, const char *sql) __attribute__((warn_unused_result));
PGconn *db_pg(struct db *db);              /* connected, or NULL; for COPY and single-row mode */
enum db_status db_status_of(struct db *db, const PGresult *res); /* classifies what PQ functions returned, for own use of db_pg */
const char *db_sqlstate(const struct db *db); /* of the last failure, "" otherwise */
const char *db_message(const struct db *db);  /* of the last failure: for the log, never for a caller */

/* Runs a prepared statement. On DB_OK *out is a result to PQclear(). `params` as text, NULL for SQL NULL. */
enum db_status db_run(struct db *db, const struct statement *st, const char *const *params, PGresult **out)
        __attribute__((warn_unused_result));
/* Several at once that do not need each other's results: PostgreSQL works on one while the results of those before it are read. */
struct db_call {
	const struct statement *st;
	const char *const *params; /* borrowed for the call */
};
enum db_status db_send(struct db *db, const struct db_call *calls, size_t count) __attribute__((warn_unused_result));
/* The next one's result, in the order in which they were sent, as from db_run(). Not after one that failed. */
enum db_status db_next(struct db *db, PGresult **out) __attribute__((warn_unused_result));
void db_sent_end(struct db *db); /* after db_send() returned DB_OK, however far it was read: the connection is as before */

/* Runs SQL as it is (several statements allowed, no parameters). */
enum db_status db_exec(struct db *db, const char *sql) __attribute__((warn_unused_result));

/* BEGIN; body; COMMIT, or ROLLBACK when the body does not return DB_OK. Tried again on DB_RETRY, at most DB_TRIES times, with
 * a jittered pause. `isolation` is "read committed" or "repeatable read". The body must be repeatable. */
enum { DB_TRIES = 6 };
enum db_status db_transaction(struct db *db, const char *isolation, enum db_status (*body)(struct db *db, void *arg), void *arg)
        __attribute__((warn_unused_result));

#endif
