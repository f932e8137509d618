#include "cli/schedule.h"

#include "model/store/daily.h"
#include "model/store/import.h"
#include "server/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { TICK_SECONDS = 5 };

static const char forget_old_keys[] =
        "delete from idempotency_key where ctid in"
        " (select ctid from idempotency_key where created_at < now() - interval '7 days' order by created_at limit 10000)";

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	_Atomic bool stopping;
	struct db *db;
} schedule = {.lock = PTHREAD_MUTEX_INITIALIZER, .stop = PTHREAD_COND_INITIALIZER};

static bool stopping(void *arg)
{
	(void)arg;
	return atomic_load(&schedule.stopping);
}

static void tick(void)
{
	const struct daily_control control = {.stopping = stopping};
	enum db_status status = import_sweep(schedule.db);
	if (status == DB_OK)
		status = daily_scheduler_tick(schedule.db, &control);
	if (status == DB_OK)
		status = db_exec(schedule.db, forget_old_keys);
	if (status == DB_FAILED)
		log_line(LOG_ERROR, "the schedule's tick failed; it is tried again", NULL);
}

/* False when it is time to stop. */
static bool pause_a_tick(void)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += TICK_SECONDS;
	pthread_mutex_lock(&schedule.lock);
	if (!stopping(NULL))
		pthread_cond_timedwait(&schedule.stop, &schedule.lock, &until);
	pthread_mutex_unlock(&schedule.lock);
	return !stopping(NULL);
}

static void *run(void *arg)
{
	(void)arg;
	do
		tick();
	while (pause_a_tick());
	return NULL;
}

bool schedule_start(const char *database_url)
{
	schedule.db = db_open(database_url);
	return schedule.db && pthread_create(&schedule.thread, NULL, run, NULL) == 0;
}

void schedule_stop(void)
{
	pthread_mutex_lock(&schedule.lock);
	atomic_store(&schedule.stopping, true);
	pthread_cond_signal(&schedule.stop);
	pthread_mutex_unlock(&schedule.lock);
	pthread_join(schedule.thread, NULL);
	db_close(schedule.db);
}
