#include "model/store/copy.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
	DAYS_TO_2000 = 10957, /* PostgreSQL counts from 2000-01-01 */
	RELAY_FULL = 64 * 1024,
	RELAY_MAX = 2 * RELAY_FULL
};

void copy_int32(struct buf *out, int32_t v)
{
	uint32_t net = htobe32((uint32_t)v);
	buf_add(out, &net, sizeof net);
}

static void put_int16(struct buf *out, int v)
{
	uint16_t net = htobe16((uint16_t)v);
	buf_add(out, &net, sizeof net);
}

void copy_header(struct buf *out)
{
	buf_add(out, "PGCOPY\n\377\r\n\0", 11);
	copy_int32(out, 0);
	copy_int32(out, 0);
}

void copy_trailer(struct buf *out)
{
	put_int16(out, -1);
}
void copy_row(struct buf *out, int columns)
{
	put_int16(out, columns);
}
void copy_null(struct buf *out)
{
	copy_int32(out, -1);
}

void copy_bigint(struct buf *out, int64_t v)
{
	uint64_t net = htobe64((uint64_t)v);
	copy_int32(out, sizeof net);
	buf_add(out, &net, sizeof net);
}

void copy_day(struct buf *out, day d)
{
	copy_int32(out, sizeof(int32_t));
	copy_int32(out, d - DAYS_TO_2000);
}

void copy_text(struct buf *out, const char *p, size_t len)
{
	copy_int32(out, (int32_t)len);
	buf_add(out, p, len);
}

/* ---- sessions ---- */

static enum db_status start(struct db *db, const char *sql, ExecStatusType wanted)
{
	PGconn *pg = db_pg(db);
	if (!pg)
		return DB_UNAVAILABLE;
	PGresult *res = PQexec(pg, sql);
	enum db_status status = db_status_of(db, res);
	if (status == DB_OK && PQresultStatus(res) != wanted)
		status = DB_FAILED;
	PQclear(res);
	return status;
}

enum db_status copy_begin(struct db *db, const char *sql)
{
	return start(db, sql, PGRES_COPY_IN);
}

/* Takes what is left of the statement at hand; the first failure counts. */
static enum db_status finish(struct db *db, PGconn *pg, int64_t *rows)
{
	enum db_status status = DB_OK;
	for (PGresult *res = PQgetResult(pg); res; res = PQgetResult(pg)) {
		if (status == DB_OK)
			status = db_status_of(db, res);
		if (rows)
			*rows = strtoll(PQcmdTuples(res), NULL, 10);
		PQclear(res);
	}
	return PQstatus(pg) == CONNECTION_OK ? status : DB_UNAVAILABLE;
}

enum db_status copy_end(struct db *db, int64_t *rows)
{
	PGconn *pg = db_pg(db);
	if (!pg || PQputCopyEnd(pg, NULL) != 1)
		return DB_UNAVAILABLE;
	return finish(db, pg, rows);
}

void copy_abandon(struct db *db)
{
	PGconn *pg = db_pg(db);
	if (!pg)
		return;
	PQputCopyEnd(pg, "abandoned");
	for (PGresult *res = PQgetResult(pg); res; res = PQgetResult(pg))
		PQclear(res);
}

static void ask_to_cancel(PGconn *pg)
{
	PGcancel *handle = PQgetCancel(pg);
	if (handle) {
		char why[256];
		(void)PQcancel(handle, why, sizeof why);
	}
	PQfreeCancel(handle);
}

/* Takes and drops what the source still gives. */
static enum db_status drain(struct db *db, bool cancel)
{
	char *piece = NULL;
	PGconn *pg = db_pg(db);
	if (!pg)
		return DB_UNAVAILABLE;
	if (cancel)
		ask_to_cancel(pg);
	while (PQgetCopyData(pg, &piece, 0) > 0)
		PQfreemem(piece);
	return finish(db, pg, NULL);
}

static bool send_on(PGconn *to, struct buf *pieces)
{
	bool sent = !pieces->failed && PQputCopyData(to, pieces->data, (int)pieces->len) == 1;
	buf_reset(pieces);
	return sent;
}

/* Sends on what the source gives, many rows a message. True when that was all of it. */
static bool pass_on(const struct copy_relay *r, PGconn *from, PGconn *to)
{
	struct buf pieces = BUF_INIT(RELAY_MAX);
	char *piece = NULL;
	int n = 0;
	bool going = from && to;
	while (going && (n = PQgetCopyData(from, &piece, 0)) > 0) {
		buf_add(&pieces, piece, (size_t)n);
		PQfreemem(piece);
		if (pieces.len >= RELAY_FULL)
			going = send_on(to, &pieces) && !(r->stopping && r->stopping(r->arg));
	}
	if (going && pieces.len)
		going = send_on(to, &pieces);
	buf_free(&pieces);
	return going && n == -1;
}

enum db_status copy_relay(struct copy_relay *r)
{
	enum db_status given = start(r->from, r->out, PGRES_COPY_OUT);
	if (given != DB_OK)
		return given;
	enum db_status taken = copy_begin(r->to, r->in);
	bool whole = taken == DB_OK && pass_on(r, db_pg(r->from), db_pg(r->to));
	given = drain(r->from, !whole);
	if (taken != DB_OK)
		return taken;
	if (!whole || given != DB_OK) {
		copy_abandon(r->to);
		return given == DB_UNAVAILABLE ? given : DB_FAILED;
	}
	return copy_end(r->to, &r->rows);
}
