#include "cli/schedule.h"

#include "model/store/audit.h"
#include "model/store/close.h"
#include "model/store/daily.h"
#include "model/store/import.h"
#include "model/store/simulations.h"
#include "server/log.h"
#include "server/priority.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { TICK_SECONDS = 5, SEAL_SECONDS = 1, SIMULATE_SECONDS = 1, HEAD_LOGGED_MS = 60000 };

static const char forget_old_keys[] =
        "delete from idempotency_key where ctid in"
        " (select ctid from idempotency_key where created_at < now() - interval '7 days' order by created_at limit 10000)";

static void tick(struct db *db);
static void seal(struct db *db);
static void simulate(struct db *db);

/* What is done again and again, each on a thread and a connection of its own: the daily job may take its time. */
static struct beat {
	void (*beat)(struct db *db);
	int seconds;
	struct db *db;
	pthread_t thread;
	bool running;
} beats[] = {{.beat = tick, .seconds = TICK_SECONDS}, {.beat = seal, .seconds = SEAL_SECONDS}, {.beat = simulate, .seconds = SIMULATE_SECONDS}};

enum { BEATS = sizeof beats / sizeof beats[0] };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t stop;
	_Atomic bool stopping;
} schedule = {.lock = PTHREAD_MUTEX_INITIALIZER, .stop = PTHREAD_COND_INITIALIZER};

static bool stopping(void *arg)
{
	(void)arg;
	return atomic_load(&schedule.stopping);
}

static void tick(struct db *db)
{
	const struct daily_control control = {.stopping = stopping};
	enum db_status status = import_sweep(db);
	if (status == DB_OK)
		status = daily_scheduler_tick(db, &control);
	if (status == DB_OK)
		status = db_exec(db, forget_old_keys);
	if (status == DB_FAILED)
		log_line(LOG_ERROR, "the schedule's tick failed; it is tried again", NULL);
}

/* Seals the audit log, and says now and then in this log, which is kept elsewhere, how far it came: what was sealed up to there
 * cannot be made anew without its being found (assayd verify --audit-head). */
static void seal(struct db *db)
{
	static struct audit_head head;
	static int64_t logged, logged_ms;
	char position[24];
	if (audit_try_seal(db, stopping, NULL, &head) == DB_FAILED) {
		log_line(LOG_ERROR, "the audit log could not be sealed; it is tried again", NULL);
	} else if (head.position > logged && (!logged_ms || monotonic_ms() - logged_ms >= HEAD_LOGGED_MS)) {
		snprintf(position, sizeof position, "%lld", (long long)head.position);
		log_line(LOG_INFO, "audit sealed", "position", position, "sha256", head.sha256, NULL);
		logged = head.position;
		logged_ms = monotonic_ms();
	}
}

/* One simulation at a time, beside the daily job: it may take minutes. */
static void simulate(struct db *db)
{
	if (simulations_work(db, stopping, NULL) == DB_FAILED)
		log_line(LOG_ERROR, "simulations could not be worked on; it is tried again", NULL);
}

/* False when it is time to stop. */
static bool pause_for(int seconds)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&schedule.lock);
	if (!stopping(NULL))
		pthread_cond_timedwait(&schedule.stop, &schedule.lock, &until);
	pthread_mutex_unlock(&schedule.lock);
	return !stopping(NULL);
}

static void *run(void *arg)
{
	const struct beat *b = arg;
	priority_lower();
	do
		b->beat(b->db);
	while (pause_for(b->seconds));
	return NULL;
}

bool schedule_start(const char *database_url)
{
	for (struct beat *b = beats; b < beats + BEATS; b++) {
		b->db = db_open(database_url);
		b->running = b->db && pthread_create(&b->thread, NULL, run, b) == 0;
		if (!b->running)
			return false;
	}
	return true;
}

void schedule_stop(void)
{
	pthread_mutex_lock(&schedule.lock);
	atomic_store(&schedule.stopping, true);
	pthread_cond_broadcast(&schedule.stop);
	pthread_mutex_unlock(&schedule.lock);
	for (struct beat *b = beats; b < beats + BEATS; b++) {
		if (b->running)
			pthread_join(b->thread, NULL);
		db_close(b->db);
	}
}
