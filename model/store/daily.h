/* The daily job: partitions are made ahead, trials and periods begin, what ended is closed within the watermark, what lacks figures waits. Outside a sandbox
 * it runs by itself; in one, only as the test clock passes the day. However many instances there are, one at a time does it. */
#ifndef ASSAY_MODEL_STORE_DAILY_H
#define ASSAY_MODEL_STORE_DAILY_H

#include "model/rules/day.h"
#include "server/db.h"

struct daily_control {
	bool (*stopping)(void *arg); /* true: leave off after the chunk at hand. May be NULL */
	void *arg;
};

/* One day's job: begins what starts on or before `today`, closes what ended before it. Safe to repeat. *finished is false when
 * it left off early; the day then is not recorded as done. Hold the daily lock. */
enum db_status daily_run(struct db *db, day today, const struct daily_control *control, bool *finished)
        __attribute__((warn_unused_result));

/* One instance at a time, across the database. Try: *locked tells. */
enum db_status daily_lock(struct db *db) __attribute__((warn_unused_result));
enum db_status daily_try_lock(struct db *db, bool *locked) __attribute__((warn_unused_result));
void daily_unlock(struct db *db);

/* To be called at the start and every few seconds, in a sandbox too: does the day's job when it is due (outside a sandbox only),
 * takes up runs that nobody works on, and computes progress that an import left stale. */
enum db_status daily_scheduler_tick(struct db *db, const struct daily_control *control) __attribute__((warn_unused_result));

/* After an import was applied: closes what a moved watermark made due (outside a sandbox), and computes stale progress again. */
enum db_status closing_after_import(struct db *db, bool watermark_moved, const struct daily_control *control)
        __attribute__((warn_unused_result));

/* ---- the test clock ---- */

enum clock_mode { CLOCK_UNSET, CLOCK_SYSTEM, CLOCK_TEST };

struct clock_state {
	enum clock_mode mode;
	bool set;  /* a test clock that shows a day */
	day today; /* by the one clock */
};

enum db_status clock_read(struct db *db, struct clock_state *out) __attribute__((warn_unused_result));

/* Lives through the days up to `target`: each on which something can happen gets the clock set to it and its job. Hold the daily
 * lock. `ctx` is whose request it is, for the audit log: JSON, as api_write() takes it. *finished is false when it left off
 * early: the clock then shows a day on the way. */
enum db_status clock_walk(struct db *db, const char *ctx, const struct clock_state *from, day target,
                          const struct daily_control *control, bool *finished) __attribute__((warn_unused_result));

#endif
