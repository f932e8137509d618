/* Worker threads: long work on blocking connections, so that no loop ever waits. Pools, so that imports cannot take the
 * threads that a caller's short wait depends on, nor background work theirs. Queues are bounded; full is said at once. */
#ifndef ASSAY_SERVER_WORKER_H
#define ASSAY_SERVER_WORKER_H

#include "server/db.h"

#include <stdbool.h>

enum pool {
	POOL_ANSWERS,    /* a caller waits, for milliseconds to seconds */
	POOL_BODIES,     /* a caller sends a large body of bounded size, for up to a minute: evaluations */
	POOL_STREAMS,    /* a caller sends, for up to hours: imports */
	POOL_BACKGROUND, /* nobody waits */
	POOLS
};

enum { WORKER_QUEUE_MAX = 64 };

struct worker;
struct db *worker_db(struct worker *w);
/* A second connection of the thread's, made when it is first used: for sessions that are set up otherwise. NULL: out of memory. */
struct db *worker_second_db(struct worker *w);
void worker_use(struct worker *w, struct db *db); /* until the next call worker_db() is this one; NULL: its own again */
const char *worker_database_url(const struct worker *w); /* for work that needs a second connection */
bool worker_stopping(const struct worker *w); /* the service is stopping: finish the chunk at hand and return */

struct workers_settings {
	const char *database_url;
	int threads[POOLS];
};
bool workers_start(const struct workers_settings *s);
void workers_ask_to_stop(void);            /* from now on worker_stopping() is true and nothing is accepted */
bool workers_stop(long long timeout_ms);   /* joins; false when some did not return in time */
long workers_waiting(enum pool pool);
long workers_running(enum pool pool);

/* False when the queue is full or the service stops; then `work` is not called. */
bool pool_submit(enum pool pool, void (*work)(struct worker *w, void *arg), void *arg);

/* Work that no request waits for: refresh after an import, a closing run that was answered already. */
bool workers_submit(void (*work)(struct worker *w, void *arg), void *arg);

#endif
