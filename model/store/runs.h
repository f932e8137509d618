/* Assessment runs: a closing that a caller asked for, with progress that anyone can read while it runs. A run whose service
 * died is taken up by whoever finds it: who works on it holds an advisory lock on its id. */
#ifndef ASSAY_MODEL_STORE_RUNS_H
#define ASSAY_MODEL_STORE_RUNS_H

#include "model/store/close.h"

/* $1 run_id: its body */
extern const struct statement RUN_BY_ID;
/* $1 after, $2 limit+1, $3 status or NULL: id, body. Newest first. */
extern const struct statement RUN_LIST;
/* $1 run_id, $2 after, $3 limit+1, $4 outcome or NULL: period_id, body. By period. */
extern const struct statement RUN_RESULT_LIST;
/* $1 run_id: a row when it is done or failed. */
extern const struct statement RUN_OVER;
/* $1 context of api_write(), $2 run_id: its body, which from now on is the answer under the request's idempotency key. */
extern const struct statement RUN_ANSWER;

/* Creates a run as `context` (JSON: request_id, key_id, key_name) asks for with args (JSON: as_of, dry_run), without an idempotency
 * key: its code when it is refused, run_id, today. What POST /v1/assessment-runs does with one. */
extern const struct statement RUN_CREATE;

enum run_end {
	RUN_DONE,     /* it is over: done, or failed */
	RUN_PAUSED,   /* left off at the deadline, or because the service stops */
	RUN_ELSEWHERE /* somebody else is at it, or there is no such run */
};

struct run_work {
	const char *run_id;
	int chunk;           /* as in struct closing, as is the next */
	int64_t deadline_ms;
	bool (*stopping)(void *arg);
	void (*progressed)(void *arg, int64_t judged);
	void *arg;
};

/* Works on a run until it is over or has to pause. */
enum db_status run_continue(struct db *db, const struct run_work *work, enum run_end *end) __attribute__((warn_unused_result));

/* Takes up every run that nobody works on. Call it at the start and once a minute. */
enum db_status runs_resume(struct db *db, bool (*stopping)(void *arg), void *arg) __attribute__((warn_unused_result));

#endif
