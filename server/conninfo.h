/* How a connection to PostgreSQL is opened: what a connection string leaves open, and with which of its hosts an attempt begins.
 *
 * libpq tries the hosts in their order. One that does not even refuse holds it up, for ever when the connection is made without
 * blocking: such an attempt is given up by its owner, and the next begins with another host. */
#ifndef ASSAY_SERVER_CONNINFO_H
#define ASSAY_SERVER_CONNINFO_H

#include <libpq-fe.h>
#include <stdbool.h>

enum conninfo_to {
	TO_PRIMARY, /* of several hosts the one that takes writes, unless the string has target_session_attrs of its own */
	TO_REPLICA
};

enum { CONNINFO_WORDS = 16 };

struct conninfo;
struct conninfo *conninfo_new(const char *url, enum conninfo_to to); /* NULL: out of memory */
void conninfo_free(struct conninfo *c);
int conninfo_hosts(const struct conninfo *c); /* 1 or more */

/* Keywords and values for PQconnect...Params(names, values, 1). Borrowed until the next call. `first`: the number of the host to
 * begin with, modulo how many there are; `options` (NULL: none) are added to the string's own. False: out of memory. */
struct conninfo_words {
	const char *names[CONNINFO_WORDS], *values[CONNINFO_WORDS];
};
bool conninfo_words(struct conninfo *c, unsigned first, const char *application_name, const char *options,
                    struct conninfo_words *out) __attribute__((warn_unused_result));

bool conninfo_takes_writes(PGconn *pg); /* what a server said of itself when the connection was made */

/* A server that took writes refuses them now (SQLSTATE 25006): another one does. Connections to the primary that are older than that
 * are made again, those that only read as well: the server they are on would answer for ever what was. */
void conninfo_primary_moved(void);
unsigned conninfo_primary_epoch(void); /* grows each time */

#endif
