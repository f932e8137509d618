/* Decisions on their way into the database by COPY: written as they are judged, a bounded piece at a time. */
#ifndef ASSAY_MODEL_STORE_DECISION_COPY_H
#define ASSAY_MODEL_STORE_DECISION_COPY_H

#include "model/store/verdict.h"
#include "server/db.h"

struct decision_row {
	const char *decision_id, *provider_id, *period_id;
	const char *run_id;     /* NULL: none */
	day decided_on;
	const struct verdict *verdict;
};

struct decision_copy {
	struct db *db;
	struct buf pending;
};

/* Between begin and end the connection takes nothing else. After an error of add, end is still to be called. */
enum db_status decision_copy_begin(struct decision_copy *c, struct db *db) __attribute__((warn_unused_result));
enum db_status decision_copy_add(struct decision_copy *c, const struct decision_row *row) __attribute__((warn_unused_result));
/* `ok` false: gives up, and nothing is kept. */
enum db_status decision_copy_end(struct decision_copy *c, bool ok) __attribute__((warn_unused_result));

#endif
