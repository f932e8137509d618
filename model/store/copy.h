/* COPY, both ways, and its binary format. */
#ifndef ASSAY_MODEL_STORE_COPY_H
#define ASSAY_MODEL_STORE_COPY_H

#include "base/buf.h"
#include "model/rules/day.h"
#include "server/db.h"

#include <stdint.h>

/* ---- the format: header, rows, trailer ---- */
void copy_header(struct buf *out);
void copy_trailer(struct buf *out);
void copy_row(struct buf *out, int columns); /* then so many values */
void copy_null(struct buf *out);
void copy_int32(struct buf *out, int32_t v); /* four bytes as they are, no value by themselves */
void copy_bigint(struct buf *out, int64_t v);
void copy_day(struct buf *out, day d);
void copy_text(struct buf *out, const char *p, size_t len);

/* ---- COPY ... FROM STDIN ---- */
enum db_status copy_begin(struct db *db, const char *sql) __attribute__((warn_unused_result));
/* After the last data. *rows, when given, is how many went in. */
enum db_status copy_end(struct db *db, int64_t *rows) __attribute__((warn_unused_result));
void copy_abandon(struct db *db); /* nothing of it goes in */

/* Everything that `out` (COPY ... TO STDOUT (FORMAT BINARY)) gives on `from` goes into `in` (COPY ... FROM STDIN) on `to`. Both
 * sessions stay usable; a transaction in which it fails has failed. */
struct copy_relay {
	struct db *from;
	const char *out;
	struct db *to;
	const char *in;
	bool (*stopping)(void *arg); /* true: give up, with DB_FAILED. May be NULL */
	void *arg;
	int64_t rows; /* how many went over, when it is done */
};
enum db_status copy_relay(struct copy_relay *r) __attribute__((warn_unused_result));

#endif
