#include "model/store/decision_copy.h"

#include "model/rules/document.h"
#include "model/store/copy.h"

#include <string.h>

enum { PIECE_BYTES = 256 * 1024, PENDING_MAX = 1024 * 1024 * 1024 };

static const char copy_decisions[] = "copy decision (decision_id, provider_id, period_id, run_id, outcome, decided_on, document,"
                                     " sha256, engine) from stdin (format binary)";

enum db_status decision_copy_begin(struct decision_copy *c, struct db *db)
{
	*c = (struct decision_copy){.db = db, .pending = BUF_INIT(PENDING_MAX)};
	copy_header(&c->pending);
	return copy_begin(db, copy_decisions);
}

static void text_column(struct buf *out, const char *s)
{
	if (s)
		copy_text(out, s, strlen(s));
	else
		copy_null(out);
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
	struct buf *out = &c->pending;
	copy_row(out, 9);
	text_column(out, row->decision_id);
	text_column(out, row->provider_id);
	text_column(out, row->period_id);
	text_column(out, row->run_id);
	text_column(out, v->met ? "met" : "not_met");
	copy_day(out, row->decided_on);
	copy_text(out, v->document.data, v->document.len);
	text_column(out, v->sha256);
	text_column(out, DOCUMENT_ENGINE);
	return c->pending.len >= PIECE_BYTES || c->pending.failed ? flush(c) : DB_OK;
}

enum db_status decision_copy_end(struct decision_copy *c, bool ok)
{
	copy_trailer(&c->pending);
	enum db_status status = ok ? flush(c) : DB_OK;
	buf_free(&c->pending);
	if (!ok || status != DB_OK) {
		copy_abandon(c->db);
		return status;
	}
	return copy_end(c->db, NULL);
}
