#include "model/store/decision_copy.h"

#include "model/rules/document.h"

#include <string.h>

enum { PIECE_BYTES = 256 * 1024, PENDING_MAX = 1024 * 1024 * 1024 };

static const char copy_decisions[] = "copy decision (decision_id, provider_id, period_id, run_id, outcome, decided_on, document,"
                                     " sha256, engine) from stdin";

enum db_status decision_copy_begin(struct decision_copy *c, struct db *db)
{
	*c = (struct decision_copy){.db = db, .pending = BUF_INIT(PENDING_MAX)};
	PGconn *pg = db_pg(db);
	if (!pg)
		return DB_UNAVAILABLE;
	PGresult *res = PQexec(pg, copy_decisions);
	enum db_status status = db_status_of(db, res);
	PQclear(res);
	return status;
}

/* A column in COPY's text format, and what ends it. */
static void column(struct buf *out, const char *s, size_t n, char end)
{
	if (!s)
		buf_puts(out, "\\N");
	for (size_t i = 0, plain; s && i < n; i += plain) {
		const char *stop = s + i;
		while (stop < s + n && *stop != '\\' && *stop != '\t' && *stop != '\n' && *stop != '\r')
			stop++;
		plain = (size_t)(stop - (s + i));
		buf_add(out, s + i, plain);
		if (i + plain < n) {
			buf_putc(out, '\\');
			buf_putc(out, *stop == '\t' ? 't' : *stop == '\n' ? 'n' : *stop == '\r' ? 'r' : '\\');
			plain++;
		}
	}
	buf_putc(out, end);
}

static void text_column(struct buf *out, const char *s, char end)
{
	column(out, s, s ? strlen(s) : 0, end);
}

static enum db_status flush(struct decision_copy *c)
{
	PGconn *pg = db_pg(c->db);
	if (!pg)
		return DB_UNAVAILABLE;
	if (c->pending.failed)
		return DB_FAILED;
	if (c->pending.len && PQputCopyData(pg, c->pending.data, (int)c->pending.len) != 1)
		return db_status_of(c->db, NULL);
	buf_reset(&c->pending);
	return DB_OK;
}

enum db_status decision_copy_add(struct decision_copy *c, const struct decision_row *row)
{
	const struct verdict *v = row->verdict;
	text_column(&c->pending, row->decision_id, '\t');
	text_column(&c->pending, row->provider_id, '\t');
	text_column(&c->pending, row->period_id, '\t');
	text_column(&c->pending, row->run_id, '\t');
	text_column(&c->pending, v->met ? "met" : "not_met", '\t');
	text_column(&c->pending, row->decided_on, '\t');
	column(&c->pending, v->document.data, v->document.len, '\t');
	text_column(&c->pending, v->sha256, '\t');
	text_column(&c->pending, DOCUMENT_ENGINE, '\n');
	return c->pending.len >= PIECE_BYTES || c->pending.failed ? flush(c) : DB_OK;
}

enum db_status decision_copy_end(struct decision_copy *c, bool ok)
{
	enum db_status status = ok ? flush(c) : DB_OK;
	buf_free(&c->pending);
	PGconn *pg = db_pg(c->db);
	if (!pg)
		return DB_UNAVAILABLE;
	if (PQputCopyEnd(pg, ok && status == DB_OK ? NULL : "given up") != 1)
		return db_status_of(c->db, NULL);
	for (PGresult *res; (res = PQgetResult(pg)); PQclear(res))
		if (status == DB_OK && ok)
			status = db_status_of(c->db, res);
	return status;
}
