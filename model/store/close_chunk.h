/* One chunk of a closing, in one transaction. */
#ifndef ASSAY_MODEL_STORE_CLOSE_CHUNK_H
#define ASSAY_MODEL_STORE_CLOSE_CHUNK_H

#include "model/store/close.h"
#include "model/store/gather.h"

enum { PERIOD_ID_MAX = 64, DAY_COLUMN_MAX = 16 };

struct close_chunk {
	const struct closing *closing;
	/* in and out: the key after which the chunk begins, and where it ended */
	char after_end[DAY_COLUMN_MAX]; /* a day, or "-infinity" */
	char after_id[PERIOD_ID_MAX];
	/* out */
	bool locked_out;   /* DB_RETRY because an import is being merged: nothing was done */
	size_t claimed;    /* 0: nothing is left after the key */
	size_t judged;
	size_t met; /* of those */
	size_t unreadable;
	int64_t gather_us; /* added to */
};

enum db_status close_chunk_run(struct db *db, struct close_chunk *chunk) __attribute__((warn_unused_result));

#endif
