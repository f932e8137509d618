/* Closing: every period that ended by a day and whose figures are complete is decided, once, however many closings run at the
 * same time and wherever one was killed. A chunk of periods is claimed, gathered, judged and written in one transaction; what
 * others hold is passed over and looked at again. A passed period may open one that is due too: that is closed as well. Where there is
 * more than one chunk, CLOSE_WORKERS connections share it, so that the database and the evaluator are at work at the same time; but one
 * alone while callers crowd. */
#ifndef ASSAY_MODEL_STORE_CLOSE_H
#define ASSAY_MODEL_STORE_CLOSE_H

#include "model/rules/day.h"
#include "server/db.h"

enum { CLOSE_WORKERS = 2 };

struct closing {
	day as_of;          /* not after today */
	const char *run_id; /* the assessment run it belongs to; NULL: the daily job's */
	bool dry_run;       /* judges and notes results, decides nothing; needs a run */
	int chunk;          /* periods a transaction, 1 to GATHER_PERIODS_MAX; 0: as many */
	int64_t deadline_ms; /* CLOCK_MONOTONIC; 0: none. Looked at between chunks */
	bool (*stopping)(void *arg); /* true: leave off after the chunk at hand. Asked by several threads. May be NULL */
	void (*progressed)(void *arg, int64_t judged); /* after each chunk: periods judged so far by this call. May be NULL */
	void *arg;

	/* what came of it */
	int64_t judged;
	int64_t unreadable; /* periods that could not be judged: the log says why */
	int64_t gather_ms;  /* how long facts were gathered, in all its chunks */
	bool paused;        /* left off before everything due was decided: call again */
};

/* Everything due. Safe to repeat. */
enum db_status close_due(struct db *db, struct closing *c) __attribute__((warn_unused_result));

/* Holds imports off: what is decided on facts and their merge exclude each other. Take it before the transaction begins, so
 * that the snapshot is taken after it. DB_RETRY: a merge took longer than FACTS_LOCK_WAIT_MS; try again, or answer so. */
enum { FACTS_LOCK_WAIT_MS = 2000 };
enum db_status facts_lock_shared(struct db *db) __attribute__((warn_unused_result));
void facts_unlock_shared(struct db *db);

int64_t monotonic_us(void);
int64_t monotonic_ms(void);

#endif
