#include "model/store/import_stage.h"

#include "model/store/copy.h"

#include <string.h>

enum {
	OUT_FULL = 64 * 1024,
	OUT_MAX = OUT_FULL + 64 * 1024, /* and one row more: a row of CSV or NDJSON is bounded by 64 KiB, its cells by less */
	TEXT_OID = 25
};

static const struct statement stage_make = {.name = "import_stage", .sql = "select import_stage($1)", .params = 1};
static const struct statement stage_drop = {.name = "import_unstage", .sql = "select import_unstage()"};

enum db_status import_stage_open(struct import_stage *s, struct db *db, enum import_kind kind)
{
	*s = (struct import_stage){.db = db,
	                           .form = import_form_of(kind),
	                           .kind = kind,
	                           .out = BUF_INIT(OUT_MAX),
	                           .by_day = true,
	                           .by_store = true,
	                           .first_day = DAY_MAX,
	                           .last_day = DAY_MIN};
	const char *const params[] = {s->form->name};
	PGresult *res = NULL;
	s->status = db_run(db, &stage_make, params, &res);
	PQclear(res);
	return s->status;
}

static void send_out(struct import_stage *s)
{
	PGconn *pg = db_pg(s->db);
	if (s->out.failed)
		s->status = DB_FAILED;
	else if (!pg || PQputCopyData(pg, s->out.data, (int)s->out.len) != 1)
		s->status = DB_UNAVAILABLE;
	buf_reset(&s->out);
}

static void begin_copy(struct import_stage *s)
{
	s->status = copy_begin(s->db, "copy import_stage from stdin (format binary)");
	s->copying = s->status == DB_OK;
	copy_header(&s->out);
}

/* ---- what day facts tell by their order ---- */

static void note_day(struct import_stage *s, const struct cell *store, int64_t d)
{
	size_t len = store->len < s->last_store_len ? store->len : s->last_store_len;
	int order = memcmp(store->p, s->last_store, len);
	if (order == 0)
		order = (store->len > s->last_store_len) - (store->len < s->last_store_len);
	if (s->rows) {
		s->by_day = s->by_day && (d > s->last_row_day || (d == s->last_row_day && order > 0));
		s->by_store = s->by_store && (order > 0 || (order == 0 && d > s->last_row_day));
	}
	memcpy(s->last_store, store->p, store->len);
	s->last_store_len = store->len;
	s->last_row_day = d;
	s->first_day = (day)d < s->first_day ? (day)d : s->first_day;
	s->last_day = (day)d > s->last_day ? (day)d : s->last_day;
	s->days[(d - CIVIL_MIN) / 8] |= (unsigned char)(1u << (d - CIVIL_MIN) % 8);
}

void import_stage_days(const struct import_stage *s, struct buf *out)
{
	char text[DAY_TEXT];
	char before = '{';
	for (int32_t d = s->first_day; d <= s->last_day; d++) {
		if (!(s->days[(d - CIVIL_MIN) / 8] >> (d - CIVIL_MIN) % 8 & 1))
			continue;
		buf_putc(out, before);
		buf_puts(out, day_text(d, text));
		before = ',';
	}
	buf_puts(out, before == '{' ? "{}" : "}");
}

/* ---- rows ---- */

static void put_regions(struct buf *out, const struct cell *c)
{
	char code[REGION_TEXT];
	size_t item = 4 + REGION_TEXT - 1;
	bool none = c->region_count == 0;
	copy_int32(out, (int32_t)(none ? 12 : 20 + c->region_count * item));
	copy_int32(out, none ? 0 : 1); /* dimensions */
	copy_int32(out, 0); /* no nulls */
	copy_int32(out, TEXT_OID);
	if (none)
		return;
	copy_int32(out, (int32_t)c->region_count);
	copy_int32(out, 1); /* the first index */
	for (size_t i = 0; i < c->region_count; i++)
		copy_text(out, region_text(c->regions[i], code), REGION_TEXT - 1);
}

static void put_cell(struct buf *out, const struct cell *c)
{
	switch (c->type) {
	case CELL_NONE:
		copy_null(out);
		return;
	case CELL_TEXT:
		copy_text(out, c->p, c->len);
		return;
	case CELL_INT:
		copy_bigint(out, c->n);
		return;
	case CELL_DAY:
		copy_day(out, (day)c->n);
		return;
	case CELL_REGIONS:
		put_regions(out, c);
		return;
	}
}

void import_stage_row(struct import_stage *s, int64_t line, const struct cell *cells)
{
	if (s->status == DB_OK && !s->copying)
		begin_copy(s);
	if (s->status != DB_OK)
		return;
	if (s->kind == IMPORT_STORE_DAYS)
		note_day(s, &cells[0], cells[1].n);
	copy_row(&s->out, (int)s->form->column_count + 1);
	copy_bigint(&s->out, line);
	for (size_t i = 0; i < s->form->column_count; i++)
		put_cell(&s->out, &cells[i]);
	s->rows++;
	if (s->out.len >= OUT_FULL)
		send_out(s);
}

enum db_status import_stage_pause(struct import_stage *s)
{
	if (s->status != DB_OK || !s->copying)
		return s->status;
	copy_trailer(&s->out);
	send_out(s);
	s->copying = false;
	if (s->status == DB_OK)
		s->status = copy_end(s->db, NULL);
	return s->status;
}

void import_stage_close(struct import_stage *s)
{
	PGresult *res = NULL;
	if (s->copying)
		copy_abandon(s->db);
	if (db_run(s->db, &stage_drop, NULL, &res) == DB_OK)
		PQclear(res);
	buf_free(&s->out);
}
