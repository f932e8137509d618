/* Which imports the facts of each period came from, noted while they are gathered. Rows come period by period, so that each import
 * is noted once for each period by remembering the last one. */
#ifndef ASSAY_MODEL_STORE_ORIGINS_H
#define ASSAY_MODEL_STORE_ORIGINS_H

#include "model/rules/day.h"
#include "model/rules/document.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct origin { /* an import, as a source of one kind of facts */
	enum document_source source;
	char *id;    /* owned; NULL: known by its seq */
	int64_t seq; /* import_ref.seq, of day facts */
	size_t last_period;
	const char *import_id, *sha256; /* once they were looked up; NULL: the import is not recorded */
};

struct origin_use {
	size_t period, origin;
};

struct origin_month { /* that stands for its days */
	size_t period;
	day month;
};

struct origins {
	bool wanted; /* false: nothing is noted */
	bool failed; /* out of memory */
	struct origin *items;
	size_t count, cap;
	size_t *slots; /* by hash: index + 1; 0: empty */
	size_t slot_count;
	struct origin_use *uses;
	size_t use_count, use_cap;
	struct origin_month *months;
	size_t month_count, month_cap;
};

void origins_note(struct origins *o, enum document_source source, size_t period, const char *import_id);
void origins_note_seq(struct origins *o, size_t period, int64_t seq);     /* a day's figures */
void origins_note_month(struct origins *o, size_t period, day month);
void origins_free(struct origins *o);

#endif
