#include "model/store/daily.h"

#include "model/store/close.h"
#include "model/store/partitions.h"
#include "model/store/progress.h"
#include "model/store/runs.h"
#include "server/log.h"

#include <stdlib.h>
#include <string.h>

static const struct statement BEGIN_DUE = {
        .name = "daily_begin_due",
        .sql = "select begin_due_periods($1::date, closing_ctx(null))",
        .params = 1,
};

static const struct statement EXPIRE_REFUNDS = {
        .name = "daily_expire_refunds",
        .sql = "select refund_expire_due($1::date, closing_ctx(null))",
        .params = 1,
};

static const struct statement DAILY_DONE = {
        .name = "daily_done",
        .sql = "select daily_done($1::date)",
        .params = 1,
};

static const struct statement DAILY_NEXT_DAY = {
        .name = "daily_next_day",
        .sql = "select daily_next_day($1::date, $2::date) - date '1970-01-01'",
        .params = 2,
};

/* The day whose job the system clock asks for: today, when it was not done yet or something is due again. */
static const struct statement DAILY_DUE = {
        .name = "daily_due",
        .sql = "select assay_today() - date '1970-01-01' where not exists (select from job_day where day >= assay_today())"
               " or daily_next_day(assay_today() - 1, assay_today()) is not null",
};

static const struct statement TAKE_DAILY_LOCK = {.name = "daily_lock", .sql = "select pg_advisory_lock(4245, 0)"};
static const struct statement TRY_DAILY_LOCK = {.name = "daily_try_lock", .sql = "select pg_try_advisory_lock(4245, 0)"};
static const struct statement DROP_DAILY_LOCK = {.name = "daily_unlock", .sql = "select pg_advisory_unlock(4245, 0)"};
static const struct statement CLOCK_SHOW = {.name = "clock_show", .sql = "select clock_show($1, $2::date)", .params = 2};
static const struct statement CLOCK_NOW = {
        .name = "clock_now",
        .sql = "select mode, today is not null, assay_today() - date '1970-01-01' from clock",
};

/* A statement about one day, whose result says nothing. */
static enum db_status run_for_day(struct db *db, const struct statement *st, day d)
{
	char text[DAY_TEXT];
	PGresult *res = NULL;
	enum db_status status = db_run(db, st, (const char *const[]){day_text(d, text)}, &res);
	PQclear(res);
	return status;
}

enum db_status daily_lock(struct db *db)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, &TAKE_DAILY_LOCK, NULL, &res);
	PQclear(res);
	return status;
}

enum db_status daily_try_lock(struct db *db, bool *locked)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, &TRY_DAILY_LOCK, NULL, &res);
	*locked = status == DB_OK && PQgetvalue(res, 0, 0)[0] == 't';
	PQclear(res);
	return status;
}

void daily_unlock(struct db *db)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, &DROP_DAILY_LOCK, NULL, &res); /* gone with the connection otherwise */
	(void)status;
	PQclear(res);
}

enum db_status daily_run(struct db *db, day today, const struct daily_control *control, bool *finished)
{
	long long made;
	*finished = false;
	enum db_status status = partitions_ahead(db, PARTITIONS_AHEAD, &made); /* so that no import has to */
	if (status == DB_OK)
		status = run_for_day(db, &EXPIRE_REFUNDS, today);
	if (status == DB_OK)
		status = run_for_day(db, &BEGIN_DUE, today);
	if (status != DB_OK)
		return status;
	struct closing c = {.as_of = today - 1, .stopping = control->stopping, .arg = control->arg};
	status = close_due(db, &c);
	if (status != DB_OK || c.paused)
		return status;
	status = run_for_day(db, &DAILY_DONE, today);
	*finished = status == DB_OK;
	char judged[24];
	snprintf(judged, sizeof judged, "%lld", (long long)c.judged);
	if (c.judged)
		log_line(LOG_INFO, "the daily job closed periods", "judged", judged, NULL);
	return status;
}

/* Does the job that the system clock asks for, when there is one and no other instance is at it. */
static enum db_status system_job(struct db *db, const struct daily_control *control)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, &DAILY_DUE, NULL, &res);
	bool due = status == DB_OK && PQntuples(res) == 1;
	day today = due ? (day)strtol(PQgetvalue(res, 0, 0), NULL, 10) : 0;
	PQclear(res);
	bool locked = false, finished;
	if (due)
		status = daily_try_lock(db, &locked);
	if (!locked)
		return status;
	status = daily_run(db, today, control, &finished);
	daily_unlock(db);
	return status;
}

enum db_status daily_scheduler_tick(struct db *db, const struct daily_control *control)
{
	struct clock_state clock;
	enum db_status status = clock_read(db, &clock);
	if (status == DB_OK && clock.mode == CLOCK_SYSTEM)
		status = system_job(db, control);
	if (status == DB_OK)
		status = runs_resume(db, control->stopping, control->arg);
	if (status == DB_OK)
		status = refresh_stale_progress(db, control->stopping, control->arg);
	return status;
}

enum db_status closing_after_import(struct db *db, bool watermark_moved, const struct daily_control *control)
{
	struct clock_state clock;
	enum db_status status = clock_read(db, &clock);
	if (status == DB_OK && watermark_moved && clock.mode == CLOCK_SYSTEM)
		status = system_job(db, control);
	if (status == DB_OK)
		status = refresh_stale_progress(db, control->stopping, control->arg);
	return status;
}

enum db_status clock_read(struct db *db, struct clock_state *out)
{
	*out = (struct clock_state){0};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &CLOCK_NOW, NULL, &res);
	if (status == DB_OK && PQntuples(res) == 1) {
		const char *mode = PQgetvalue(res, 0, 0);
		out->mode = strcmp(mode, "test") == 0 ? CLOCK_TEST : *mode ? CLOCK_SYSTEM : CLOCK_UNSET;
		out->set = PQgetvalue(res, 0, 1)[0] == 't';
		out->today = (day)strtol(PQgetvalue(res, 0, 2), NULL, 10);
	}
	PQclear(res);
	return status;
}

static enum db_status next_day(struct db *db, day after, day through, day *next)
{
	char a[DAY_TEXT], b[DAY_TEXT];
	PGresult *res = NULL;
	enum db_status status = db_run(db, &DAILY_NEXT_DAY, (const char *const[]){day_text(after, a), day_text(through, b)}, &res);
	*next = DAY_NONE;
	if (status == DB_OK && !PQgetisnull(res, 0, 0))
		*next = (day)strtol(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return status;
}

static enum db_status show_day(struct db *db, const char *ctx, day d)
{
	char text[DAY_TEXT];
	PGresult *res = NULL;
	enum db_status status = db_run(db, &CLOCK_SHOW, (const char *const[]){ctx, day_text(d, text)}, &res);
	PQclear(res);
	return status;
}

enum db_status clock_walk(struct db *db, const char *ctx, const struct clock_state *from, day target, const struct daily_control *control,
                          bool *finished)
{
	/* A clock that was never set jumps: there are no days to live through, but the day itself has its job. */
	day at = from->set ? from->today : target - 1;
	*finished = false;
	for (;;) {
		day next;
		bool done = false;
		enum db_status status = next_day(db, at, target, &next);
		if (status != DB_OK)
			return status;
		if (next == DAY_NONE)
			break;
		status = show_day(db, ctx, next);
		if (status == DB_OK)
			status = daily_run(db, next, control, &done);
		if (status != DB_OK || !done)
			return status;
		at = next;
	}
	*finished = true;
	return DB_OK;
}
