/* The end of an import: one transaction under the facts lock in which what was staged is checked against the database, and
 * then applied or refused. */
#ifndef ASSAY_MODEL_STORE_IMPORT_MERGE_H
#define ASSAY_MODEL_STORE_IMPORT_MERGE_H

#include "model/store/import.h"
#include "model/store/import_stage.h"

struct import_merge {
	struct db *staged; /* the session that has the staging table */
	struct db *tx; /* the session of the transaction; the same, except for day facts */
	const struct import_options *o;
	const struct import_stage *stage;
	const struct import_errors *read_errors; /* found while reading */
	int64_t read_rejected;
	bool header_bad;
	bool trusted; /* of day facts: days that were never loaded need no look (store_day_loaded) */
	struct import_report *report;
	int64_t known; /* of day facts: how many good rows are there already, */
	int64_t changed; /* with another value, */
	int64_t fresh; /* and how many are not */
	bool stopped; /* it left off because it was asked to */
	bool decided; /* it got to the end; a dry run's transaction is rolled back all the same */
};

/* Fills in the report's outcome when it is decided (applied or rejected). */
enum db_status import_merge(struct import_merge *m) __attribute__((warn_unused_result));

/* import_days.c: day facts, inside the transaction. The check compares them with what is there, the other lets them in. */
enum db_status import_days_check(struct import_merge *m, int64_t *bad) __attribute__((warn_unused_result));
enum db_status import_days_apply(struct import_merge *m) __attribute__((warn_unused_result));

#endif
