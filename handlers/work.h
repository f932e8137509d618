/* What a handler's work on a worker thread shares: statements that answer for themselves when they fail. */
#ifndef ASSAY_HANDLERS_WORK_H
#define ASSAY_HANDLERS_WORK_H

#include "server/db.h"
#include "server/request.h"
#include "server/worker.h"

/* Stages the problem that a failed statement is; true when `status` is DB_OK and nothing was staged. */
bool work_ok(struct request *rq, struct db *db, enum db_status status);

/* Runs a statement; its result lives as long as the request. False: a problem is staged. */
bool work_read(struct worker *w, struct request *rq, const struct statement *st, const char *const *params, struct rows *rows);
/* The same of a statement that is by_keys, for one key. */
bool work_read_key(struct worker *w, struct request *rq, const struct statement *st, const char *key, struct rows *rows);

#endif
