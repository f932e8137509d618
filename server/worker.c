#include "server/worker.h"

#include "server/log.h"
#include "server/priority.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS_MAX = 64 };

struct job {
	void (*work)(struct worker *w, void *arg);
	void *arg;
};

struct worker {
	struct db *db;
	struct db *second; /* or NULL: not needed yet */
	struct db *used;   /* in the place of `db`; not NULL only within a job that sees to it */
	pthread_t thread;
	enum pool pool;
};

struct crew {
	struct job jobs[WORKER_QUEUE_MAX]; /* a ring */
	unsigned head, tail;
	int running;
	struct worker workers[THREADS_MAX];
	int len;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct crew crews[POOLS];
	bool stopping; /* under lock */
	_Atomic bool asked_to_stop;
	const char *database_url;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};

struct db *worker_db(struct worker *w) { return w->used ? w->used : w->db; }

struct db *worker_second_db(struct worker *w)
{
	if (!w->second)
		w->second = db_open(all.database_url);
	return w->second;
}

void worker_use(struct worker *w, struct db *db) { w->used = db; }

const char *worker_database_url(const struct worker *w)
{
	(void)w;
	return all.database_url;
}

bool worker_stopping(const struct worker *w)
{
	(void)w;
	return atomic_load(&all.asked_to_stop);
}

static bool next_job(struct crew *crew, struct job *job)
{
	while (crew->head == crew->tail && !all.stopping)
		pthread_cond_wait(&all.work, &all.lock);
	if (crew->head == crew->tail)
		return false;
	*job = crew->jobs[crew->head++ % WORKER_QUEUE_MAX];
	crew->running++;
	return true;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct crew *crew = &all.crews[w->pool];
	struct job job;
	if (w->pool == POOL_STREAMS || w->pool == POOL_BACKGROUND)
		priority_lower(); /* bulk work, of which others should notice nothing */
	pthread_mutex_lock(&all.lock);
	while (next_job(crew, &job)) {
		pthread_mutex_unlock(&all.lock);
		job.work(w, job.arg);
		pthread_mutex_lock(&all.lock);
		crew->running--;
		pthread_cond_broadcast(&all.idle);
	}
	pthread_mutex_unlock(&all.lock);
	return NULL;
}

static bool start_one(enum pool pool)
{
	struct crew *crew = &all.crews[pool];
	struct worker *w = &crew->workers[crew->len];
	w->pool = pool;
	w->db = db_open(all.database_url);
	if (!w->db || pthread_create(&w->thread, NULL, worker_main, w) != 0)
		return false;
	crew->len++;
	return true;
}

bool workers_start(const struct workers_settings *s)
{
	all.database_url = s->database_url;
	for (int pool = 0; pool < POOLS; pool++)
		for (int i = 0; i < s->threads[pool] && i < THREADS_MAX; i++)
			if (!start_one((enum pool)pool))
				return false;
	return true;
}

void workers_ask_to_stop(void) { atomic_store(&all.asked_to_stop, true); }

static bool busy(void)
{
	for (int pool = 0; pool < POOLS; pool++)
		if (all.crews[pool].running || all.crews[pool].head != all.crews[pool].tail)
			return true;
	return false;
}

static void join_all(void)
{
	for (int pool = 0; pool < POOLS; pool++) {
		struct crew *crew = &all.crews[pool];
		for (int i = 0; i < crew->len; i++) {
			pthread_join(crew->workers[i].thread, NULL);
			db_close(crew->workers[i].db);
			db_close(crew->workers[i].second);
		}
		crew->len = 0;
	}
}

bool workers_stop(long long timeout_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	workers_ask_to_stop();
	pthread_mutex_lock(&all.lock);
	all.stopping = true;
	pthread_cond_broadcast(&all.work);
	int waited = 0;
	while (busy() && waited == 0)
		waited = pthread_cond_timedwait(&all.idle, &all.lock, &until);
	bool done = !busy();
	pthread_mutex_unlock(&all.lock);
	if (done)
		join_all();
	return done;
}

long workers_waiting(enum pool pool)
{
	pthread_mutex_lock(&all.lock);
	long n = (long)(all.crews[pool].tail - all.crews[pool].head);
	pthread_mutex_unlock(&all.lock);
	return n;
}

long workers_running(enum pool pool)
{
	pthread_mutex_lock(&all.lock);
	long n = all.crews[pool].running;
	pthread_mutex_unlock(&all.lock);
	return n;
}

bool pool_submit(enum pool pool, void (*work)(struct worker *w, void *arg), void *arg)
{
	struct crew *crew = &all.crews[pool];
	pthread_mutex_lock(&all.lock);
	bool accepted = !all.stopping && crew->tail - crew->head < WORKER_QUEUE_MAX;
	if (accepted) {
		crew->jobs[crew->tail++ % WORKER_QUEUE_MAX] = (struct job){work, arg};
		pthread_cond_broadcast(&all.work);
	}
	pthread_mutex_unlock(&all.lock);
	return accepted;
}

bool workers_submit(void (*work)(struct worker *w, void *arg), void *arg)
{
	bool accepted = pool_submit(POOL_BACKGROUND, work, arg);
	if (!accepted)
		log_line(LOG_WARN, "background work refused: the queue is full", NULL);
	return accepted;
}
