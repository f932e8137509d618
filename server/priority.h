/* Work that nobody waits for gives way: its threads, and the processes of a PostgreSQL on this machine that work for them, get the
 * processor when those that answer callers leave it. Nothing changes when there is enough for all. */
#ifndef ASSAY_SERVER_PRIORITY_H
#define ASSAY_SERVER_PRIORITY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

void priority_lower(void); /* of the calling thread, and of the threads that it starts from now on */

/* Gives the connection's server process the priority of the calling thread, when that was lowered. Does nothing where the server is
 * reached by another way than a socket file, or is not ours to slow down. */
void priority_pass_on(const PGconn *pg);

/* Whether a loop of this process is at many requests, or was a moment ago: so many callers that none of them should wait for another, and
 * that work which could take two processors takes one. Said by the loops. */
bool priority_crowd(void);
void priority_crowd_seen(int64_t now_ms);

#endif
