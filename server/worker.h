/* Worker threads: long work on blocking connections, so that no loop ever waits. A bounded queue; full means 503 at once. */
#ifndef ASSAY_SERVER_WORKER_H
#define ASSAY_SERVER_WORKER_H

#include "server/db.h"

#include <stdbool.h>

struct worker;
struct db *worker_db(struct worker *w);
bool worker_stopping(const struct worker *w); /* the service is stopping: finish the chunk at hand and return */

/* Work that no request waits for (refresh after an import, a closing run that answered 202). False when the queue is full. */
bool workers_submit(void (*work)(struct worker *w, void *arg), void *arg);

#endif
