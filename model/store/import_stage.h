/* The staging table of one import, a temporary table of the session: rows go there by binary COPY as they are read, and go
 * with the session when it ends. */
#ifndef ASSAY_MODEL_STORE_IMPORT_STAGE_H
#define ASSAY_MODEL_STORE_IMPORT_STAGE_H

#include "base/buf.h"
#include "base/civil.h"
#include "model/store/import_cells.h"
#include "server/db.h"

struct import_stage {
	struct db *db;
	const struct import_form *form;
	enum import_kind kind;
	bool copying;
	enum db_status status; /* sticky */
	struct buf out;
	int64_t rows;
	/* Of day facts, what saves work later: */
	bool by_day, by_store; /* the rows rose strictly by (day, store_id), by (store_id, day) */
	day first_day, last_day;
	unsigned char days[(CIVIL_MAX - CIVIL_MIN + 8) / 8]; /* bit d - CIVIL_MIN: day d occurs */
	char last_store[256]; /* of the row before; 64 characters are at most 256 bytes */
	size_t last_store_len;
	int64_t last_row_day;
};

enum db_status import_stage_open(struct import_stage *s, struct db *db, enum import_kind kind)
        __attribute__((warn_unused_result));
void import_stage_row(struct import_stage *s, int64_t line, const struct cell *cells); /* see s->status */
/* Ends the COPY, so that the session can do something else; the next row begins another. */
enum db_status import_stage_pause(struct import_stage *s) __attribute__((warn_unused_result));
/* Drops the table; whatever went wrong before. */
void import_stage_close(struct import_stage *s);

static inline bool import_stage_ordered(const struct import_stage *s)
{
	return s->by_day || s->by_store;
}
/* The days that occur as a PostgreSQL array, appended. */
void import_stage_days(const struct import_stage *s, struct buf *out);

#endif
