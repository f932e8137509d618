#include "server/db.h"

#include "server/conninfo.h"
#include "server/log.h"
#include "server/pg_error.h"
#include "server/priority.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PREPARED_MAX = 256, MESSAGE_MAX = 1000 };

struct db {
	char *url;
	struct conninfo *to;
	char *session; /* SQL that each connection begins with, or NULL */
	PGconn *pg;
	unsigned epoch;   /* conninfo_primary_epoch() when it was made */
	bool took_writes; /* the server, then */
	const struct statement *prepared[PREPARED_MAX]; /* on this connection */
	int prepared_len;
	char sqlstate[6];
	char message[MESSAGE_MAX];
};

struct db *db_open(const char *url)
{
	struct db *db = calloc(1, sizeof *db);
	if (!db)
		return NULL;
	db->url = strdup(url);
	db->to = conninfo_new(url, TO_PRIMARY);
	if (db->url && db->to)
		return db;
	db_close(db);
	return NULL;
}

struct db *db_open_like(const struct db *other)
{
	return db_open(other->url);
}

static void disconnect(struct db *db)
{
	PQfinish(db->pg);
	db->pg = NULL;
	db->prepared_len = 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	disconnect(db);
	conninfo_free(db->to);
	free(db->url);
	free(db->session);
	free(db);
}

static void remember(struct db *db, const char *sqlstate, const char *message)
{
	snprintf(db->sqlstate, sizeof db->sqlstate, "%s", sqlstate ? sqlstate : "");
	snprintf(db->message, sizeof db->message, "%s", message ? message : "");
}

static bool set_up(struct db *db, PGconn *pg)
{
	PGresult *res = db->session ? PQexec(pg, db->session) : NULL;
	bool done = !db->session || PQresultStatus(res) == PGRES_TUPLES_OK || PQresultStatus(res) == PGRES_COMMAND_OK;
	PQclear(res);
	return done;
}

PGconn *db_pg(struct db *db)
{
	bool current = db->epoch == conninfo_primary_epoch() || (db->pg && PQtransactionStatus(db->pg) != PQTRANS_IDLE);
	if (db->pg && PQstatus(db->pg) == CONNECTION_OK && current)
		return db->pg;
	disconnect(db);
	struct conninfo_words words;
	db->epoch = conninfo_primary_epoch();
	if (!conninfo_words(db->to, 0, "assay worker", NULL, &words))
		return NULL;
	db->pg = PQconnectdbParams(words.names, words.values, 1);
	db->took_writes = conninfo_takes_writes(db->pg);
	if (PQstatus(db->pg) == CONNECTION_OK && set_up(db, db->pg)) {
		priority_pass_on(db->pg);
		return db->pg;
	}
	remember(db, "", PQerrorMessage(db->pg));
	log_line(LOG_WARN, "database connection failed", "why", db->message, NULL);
	disconnect(db);
	return NULL;
}

const char *db_sqlstate(const struct db *db) { return db->sqlstate; }
const char *db_message(const struct db *db) { return db->message; }

static enum db_status classify(const char *sqlstate, bool connected)
{
	if (!connected || strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "57P0", 4) == 0 || strcmp(sqlstate, "25006") == 0)
		return DB_UNAVAILABLE;
	if (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0 || strcmp(sqlstate, "55P03") == 0)
		return DB_RETRY;
	return DB_FAILED;
}

enum db_status db_status_of(struct db *db, const PGresult *res)
{
	switch (PQresultStatus(res)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
		return DB_OK;
	default:
		break;
	}
	const char *sqlstate = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	char text[PG_ERROR_TEXT];
	if (res)
		pg_error_text(res, text);
	remember(db, sqlstate, res ? text : PQerrorMessage(db->pg));
	if (strcmp(db->sqlstate, "25006") == 0 && db->took_writes)
		conninfo_primary_moved(); /* this one is dropped at its next use: its owner may still hold it */
	enum db_status status = classify(db->sqlstate, PQstatus(db->pg) == CONNECTION_OK);
	if (status != DB_RETRY)
		log_line(status == DB_FAILED ? LOG_ERROR : LOG_WARN, "statement failed", "sqlstate", db->sqlstate, "why", db->message, NULL);
	return status;
}

static bool is_prepared(const struct db *db, const struct statement *st)
{
	for (int i = 0; i < db->prepared_len; i++)
		if (db->prepared[i] == st)
			return true;
	return false;
}

static enum db_status prepare(struct db *db, PGconn *pg, const struct statement *st)
{
	if (is_prepared(db, st))
		return DB_OK;
	PGresult *res = PQprepare(pg, st->name, st->sql, 0, NULL);
	enum db_status status = db_status_of(db, res);
	PQclear(res);
	if (status == DB_OK && db->prepared_len < PREPARED_MAX)
		db->prepared[db->prepared_len++] = st;
	return status;
}

enum db_status db_run(struct db *db, const struct statement *st, const char *const *params, PGresult **out)
{
	*out = NULL;
	PGconn *pg = db_pg(db);
	if (!pg)
		return DB_UNAVAILABLE;
	enum db_status status = prepare(db, pg, st);
	if (status != DB_OK)
		return status;
	PGresult *res = PQexecPrepared(pg, st->name, st->params, params, NULL, NULL, st->binary);
	status = db_status_of(db, res);
	if (status == DB_OK) {
		*out = res;
		return DB_OK;
	}
	PQclear(res);
	return status;
}

enum db_status db_send(struct db *db, const struct db_call *calls, size_t count)
{
	PGconn *pg = db_pg(db);
	enum db_status status = pg ? DB_OK : DB_UNAVAILABLE;
	for (size_t i = 0; status == DB_OK && i < count; i++)
		status = prepare(db, pg, calls[i].st);
	if (status != DB_OK)
		return status;
	bool sent = PQenterPipelineMode(pg);
	for (size_t i = 0; sent && i < count; i++)
		sent = PQsendQueryPrepared(pg, calls[i].st->name, calls[i].st->params, calls[i].params, NULL, NULL, calls[i].st->binary);
	if (sent && PQpipelineSync(pg))
		return DB_OK;
	status = db_status_of(db, NULL);
	disconnect(db); /* whatever of it was sent */
	return status;
}

enum db_status db_next(struct db *db, PGresult **out)
{
	PGresult *res = PQgetResult(db->pg);
	enum db_status status = db_status_of(db, res);
	*out = NULL;
	if (status == DB_OK) {
		*out = res;
		PQclear(PQgetResult(db->pg)); /* there is no more of it */
	} else {
		PQclear(res);
	}
	return status;
}

void db_sent_end(struct db *db)
{
	bool synced = false;
	while (!synced && PQstatus(db->pg) == CONNECTION_OK) {
		PGresult *res = PQgetResult(db->pg); /* NULL: the end of one's */
		synced = PQresultStatus(res) == PGRES_PIPELINE_SYNC;
		PQclear(res);
	}
	if (!PQexitPipelineMode(db->pg))
		disconnect(db);
}

enum db_status db_exec(struct db *db, const char *sql)
{
	PGconn *pg = db_pg(db);
	if (!pg)
		return DB_UNAVAILABLE;
	PGresult *res = PQexec(pg, sql);
	enum db_status status = db_status_of(db, res);
	PQclear(res);
	return status;
}

enum db_status db_set_up(struct db *db, const char *sql)
{
	char *copy = strdup(sql);
	if (!copy)
		return DB_FAILED;
	free(db->session);
	db->session = copy;
	if (!db->pg || PQstatus(db->pg) != CONNECTION_OK)
		return db_pg(db) ? DB_OK : DB_UNAVAILABLE;
	if (set_up(db, db->pg))
		return DB_OK;
	disconnect(db);
	return DB_UNAVAILABLE;
}

static void pause_before_retry(int tried)
{
	long ms = (5L << tried) + random() % (5L << tried);
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&pause, NULL);
}

static enum db_status transaction_once(struct db *db, const char *isolation, enum db_status (*body)(struct db *db, void *arg), void *arg)
{
	char begin[64];
	snprintf(begin, sizeof begin, "begin isolation level %s", isolation);
	enum db_status status = db_exec(db, begin);
	if (status != DB_OK)
		return status;
	status = body(db, arg);
	if (status == DB_OK)
		status = db_exec(db, "commit");
	if (status != DB_OK && db->pg && PQstatus(db->pg) == CONNECTION_OK && PQtransactionStatus(db->pg) != PQTRANS_IDLE)
		PQclear(PQexec(db->pg, "rollback"));
	return status;
}

enum db_status db_transaction(struct db *db, const char *isolation, enum db_status (*body)(struct db *db, void *arg), void *arg)
{
	enum db_status status = DB_RETRY;
	for (int tried = 0; tried < DB_TRIES && status == DB_RETRY; tried++) {
		if (tried)
			pause_before_retry(tried);
		status = transaction_once(db, isolation, body, arg);
	}
	return status;
}
