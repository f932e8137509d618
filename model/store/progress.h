/* What the running periods measure so far, kept beside them so that reads need not compute it. A figure that changes makes it
 * stale (period.facts_version); it is computed again when it is asked for, and in the background after an import. */
#ifndef ASSAY_MODEL_STORE_PROGRESS_H
#define ASSAY_MODEL_STORE_PROGRESS_H

#include "server/db.h"

/* A running period's evaluation day: the watermark; before it reaches the period, today, over the facts that are there (but
 * never the period's last day, so that the evaluation stays provisional). */
#define RUNNING_AS_OF \
	"case when (select day from watermark) >= d.start_day then least((select day from watermark), assay_today(), d.end_day)" \
	" else greatest(least(assay_today(), d.end_day - 1), d.start_day) end"

/* Computes the progress of one running period as of min(watermark, today, its end) and stores it, unless its figures changed
 * meanwhile. Before the watermark reaches the period there is none: it stays null. A period that is over is left alone. */
enum db_status refresh_progress(struct db *db, const char *period_id) __attribute__((warn_unused_result));

/* The same, but waits no more than a moment for who holds the period: then it stays stale, and that is no error. */
enum db_status refresh_progress_briefly(struct db *db, const char *period_id) __attribute__((warn_unused_result));

/* Every stale one, in chunks. Leaves off between chunks when `stopping` says so. */
enum db_status refresh_stale_progress(struct db *db, bool (*stopping)(void *arg), void *arg) __attribute__((warn_unused_result));

#endif
