/* A non-blocking connection to PostgreSQL inside a loop: connecting, reconnecting with bounded and jittered backoff, and
 * which statements are prepared on it. What is sent over it is its owner's business (lane_read.c, lane_write.c). */
#ifndef ASSAY_SERVER_LINK_H
#define ASSAY_SERVER_LINK_H

#include "server/poll.h"
#include "server/statement.h"

struct link;
struct link_owner {
	void (*up)(void *owner);    /* connected; nothing is prepared */
	void (*input)(void *owner); /* bytes arrived and were consumed: take results while PQisBusy() is false */
	void (*down)(void *owner);  /* the connection is gone; whatever was in flight has an unknown end */
};

enum { LINK_BACKOFF_MIN_MS = 100, LINK_BACKOFF_MAX_MS = 1000, LINK_PREPARED_MAX = 256 };

/* `options`: session settings as in libpq's "options", e.g. "-c statement_timeout=5000". */
struct link *link_new(struct poll *poll, const char *url, const char *application_name, const char *options,
                      const struct link_owner *calls, void *owner);
/* To a streaming replica, any of those that the url names; which one, is chance, and the others after it. */
struct link *link_to_replicas(struct poll *poll, const char *url, const char *application_name, const char *options,
                              const struct link_owner *calls, void *owner);
void link_free(struct link *l);
PGconn *link_pg(struct link *l); /* NULL unless connected */
void link_flush(struct link *l); /* sends what is buffered, now or when the socket takes it */
void link_lost(struct link *l);  /* the owner saw an error that the connection cannot outlive */
void link_other_host(struct link *l); /* this one is of no use: the next attempt begins with another */
void link_refused_write(struct link *l); /* SQLSTATE 25006: the server takes none (any more) */
void link_tick(struct link *l, int64_t now); /* reconnects when it is time */
bool link_prepared(const struct link *l, const struct statement *st);
void link_set_prepared(struct link *l, const struct statement *st);

#endif
