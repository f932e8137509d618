#include "model/store/close.h"

#include "model/store/close_chunk.h"
#include "server/log.h"
#include "server/priority.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	WAIT_MS = 50,     /* for periods that another closing holds */
	WAITS_MAX = 200   /* in a row, without anything to decide: 10 s, then the closing pauses */
};

int64_t monotonic_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t monotonic_ms(void)
{
	return monotonic_us() / 1000;
}

static const struct statement LOCK_FACTS = {
        .name = "lock_facts",
        .sql = "select facts_lock_shared($1::integer)",
        .params = 1,
};

static const struct statement UNLOCK_FACTS = {
        .name = "unlock_facts",
        .sql = "select pg_advisory_unlock_shared(4242, 1)",
};

enum db_status facts_lock_shared(struct db *db)
{
	char wait_ms[12];
	PGresult *res = NULL;
	snprintf(wait_ms, sizeof wait_ms, "%d", FACTS_LOCK_WAIT_MS);
	enum db_status status = db_run(db, &LOCK_FACTS, (const char *const[]){wait_ms}, &res);
	PQclear(res);
	return status;
}

void facts_unlock_shared(struct db *db)
{
	PGresult *res = NULL;
	/* When the connection is gone, so is the lock. */
	enum db_status status = db_run(db, &UNLOCK_FACTS, NULL, &res);
	(void)status;
	PQclear(res);
}

static const struct statement COUNT_DUE_PERIODS = {
        .name = "count_due_periods",
        .sql = "select count(*) from period d where d.status in ('open', 'awaiting_data')"
               " and d.end_day <= least($1::date, (select day from watermark)) and (select day from watermark) is not null",
        .params = 1,
};

static const struct statement MARK_AWAITING = {
        .name = "mark_awaiting",
        .sql = "select mark_awaiting($1, $2::date, $3::boolean)",
        .params = 3,
};

static enum db_status count_due(struct db *db, const struct closing *c, int64_t *count)
{
	char as_of[DAY_TEXT];
	PGresult *res = NULL;
	enum db_status status = db_run(db, &COUNT_DUE_PERIODS, (const char *const[]){day_text(c->as_of, as_of)}, &res);
	if (status == DB_OK)
		*count = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return status;
}

static enum db_status mark(struct db *db, const struct closing *c)
{
	char as_of[DAY_TEXT];
	const char *const params[] = {c->run_id, day_text(c->as_of, as_of), c->dry_run ? "t" : "f"};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &MARK_AWAITING, params, &res);
	PQclear(res);
	return status;
}

static bool must_pause(const struct closing *c)
{
	return (c->stopping && c->stopping(c->arg)) || (c->deadline_ms && monotonic_ms() >= c->deadline_ms);
}

/* ---- once through everything due ---- */

/* What those who share a pass have done together. */
struct pass {
	const struct closing *closing;
	int64_t before; /* judged in earlier passes */
	atomic_llong judged, unreadable, gather_us;
	atomic_bool paused, failed, over; /* over: who leads it begins nothing more */
};

struct pass_worker {
	struct pass *pass;
	struct db *db;
	enum db_status status;
	pthread_t thread;
	bool running;
};

/* The next chunk, in the order of (end, id). *more: there may be another. */
static enum db_status take_chunk(struct db *db, struct pass *pass, struct close_chunk *chunk, bool *more)
{
	chunk->gather_us = 0;
	enum db_status status = close_chunk_run(db, chunk);
	atomic_fetch_add(&pass->gather_us, (long long)chunk->gather_us);
	if (must_pause(pass->closing))
		atomic_store(&pass->paused, true);
	if (status == DB_RETRY && chunk->locked_out) { /* an import is being merged: as long as it takes */
		*more = !atomic_load(&pass->paused);
		return DB_OK;
	}
	if (status != DB_OK) {
		atomic_store(&pass->failed, true);
		return status;
	}
	atomic_fetch_add(&pass->judged, (long long)chunk->judged);
	atomic_fetch_add(&pass->unreadable, (long long)chunk->unreadable);
	*more = chunk->claimed && !atomic_load(&pass->paused) && !atomic_load(&pass->failed);
	return DB_OK;
}

static struct close_chunk before_all(const struct pass *pass)
{
	return (struct close_chunk){.closing = pass->closing, .after_end = "-infinity"};
}

static void wait_a_moment(void)
{
	nanosleep(&(struct timespec){.tv_nsec = WAIT_MS * 1000000L}, NULL);
}

/* Where callers crowd, one connection closes, and that one is enough: a helper holds nothing between chunks. */
static void give_way(struct pass *pass)
{
	while (priority_crowd() && !atomic_load(&pass->over))
		wait_a_moment();
}

static void *help(void *arg)
{
	struct pass_worker *w = arg;
	struct close_chunk chunk = before_all(w->pass);
	bool more = db_pg(w->db) != NULL; /* else the others do it alone */
	while (more && w->status == DB_OK) {
		give_way(w->pass);
		if (atomic_load(&w->pass->over))
			break;
		w->status = take_chunk(w->db, w->pass, &chunk, &more);
	}
	return NULL;
}

static void helpers_start(struct pass *pass, const struct db *db, struct pass_worker helpers[])
{
	for (int i = 0; i < CLOSE_WORKERS - 1; i++) {
		struct pass_worker *w = &helpers[i];
		*w = (struct pass_worker){.pass = pass, .db = db_open_like(db)};
		w->running = w->db && pthread_create(&w->thread, NULL, help, w) == 0;
	}
}

static enum db_status helpers_join(struct pass_worker helpers[])
{
	enum db_status status = DB_OK;
	for (int i = 0; i < CLOSE_WORKERS - 1; i++) {
		struct pass_worker *w = &helpers[i];
		if (w->running)
			pthread_join(w->thread, NULL);
		if (status == DB_OK)
			status = w->status;
		db_close(w->db);
	}
	return status;
}

/* With helpers when there is more than a chunk. Not for a dry run: it claims nothing, they would judge the same. */
static enum db_status pass_once(struct db *db, struct closing *c, struct pass *pass)
{
	struct close_chunk chunk = before_all(pass);
	struct pass_worker helpers[CLOSE_WORKERS] = {0};
	bool more = true;
	int64_t due = 0;
	enum db_status status = c->dry_run ? DB_OK : count_due(db, c, &due);
	if (due > GATHER_PERIODS_MAX)
		helpers_start(pass, db, helpers);
	while (more && status == DB_OK) {
		status = take_chunk(db, pass, &chunk, &more);
		if (c->progressed && chunk.claimed)
			c->progressed(c->arg, pass->before + atomic_load(&pass->judged));
	}
	atomic_store(&pass->over, true);
	enum db_status others = helpers_join(helpers);
	c->judged = pass->before + atomic_load(&pass->judged);
	c->gather_ms += atomic_load(&pass->gather_us) / 1000;
	c->paused = atomic_load(&pass->paused);
	return status == DB_OK ? others : status;
}

static enum db_status close_all(struct db *db, struct closing *c)
{
	c->judged = c->unreadable = c->gather_ms = 0;
	c->paused = false;
	for (int waits = 0;;) {
		struct pass pass = {.closing = c, .before = c->judged};
		int64_t left = 0;
		enum db_status status = pass_once(db, c, &pass);
		if (status != DB_OK || c->paused)
			return status;
		c->unreadable = atomic_load(&pass.unreadable);
		if (atomic_load(&pass.judged) && !c->dry_run) {
			waits = 0;
			continue; /* what it opened may be due already */
		}
		if (!c->dry_run)
			status = count_due(db, c, &left);
		if (status != DB_OK)
			return status;
		if (left <= c->unreadable)
			break;
		if (++waits > WAITS_MAX) {
			c->paused = true;
			return DB_OK;
		}
		wait_a_moment(); /* the rest is in another closing's hands; should that one die, it is ours */
	}
	return mark(db, c);
}

static void tell(const struct closing *c, int64_t took_ms)
{
	char judged[24], gather[24], took[24];
	snprintf(judged, sizeof judged, "%" PRId64, c->judged);
	snprintf(gather, sizeof gather, "%" PRId64, c->gather_ms);
	snprintf(took, sizeof took, "%" PRId64, took_ms);
	log_line(LOG_INFO, c->dry_run ? "periods judged" : "periods closed", "periods", judged, "gathering_ms", gather, "took_ms", took, NULL);
}

enum db_status close_due(struct db *db, struct closing *c)
{
	int64_t began = monotonic_ms();
	enum db_status status = close_all(db, c);
	if (c->judged)
		tell(c, monotonic_ms() - began);
	return status;
}
