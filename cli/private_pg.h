/* The PostgreSQL of our own, for when no other is named: made and started under ASSAY_HOME, stopped with the service.
 *
 * It listens on a Unix socket alone. Who may connect is decided by the kernel's word on who asks (peer authentication): the
 * user that the service runs as, root, and the user that PostgreSQL runs as. Root's PostgreSQL runs as the owner of its data,
 * which for a new one is the user `postgres`, since PostgreSQL refuses to run as root.
 *
 *   HOME/postgres/          made here; a symbolic link into /var/lib/assay when the user `postgres` cannot get to HOME
 *     lock                  held by the service that uses it (flock)
 *     url                   how to connect; there while it is up
 *     postgresql.conf       written once, the operator's to edit
 *     pg_hba.conf, pg_ident.conf   written at each start
 *     startup.log           what PostgreSQL said while starting
 *     data/ log/ socket/
 */
#ifndef ASSAY_CLI_PRIVATE_PG_H
#define ASSAY_CLI_PRIVATE_PG_H

#include <stddef.h>

struct private_pg;

enum private_pg_result {
	PRIVATE_PG_OK = 0,
	PRIVATE_PG_IN_USE, /* another process runs the one of this HOME, and `url` leads to it; empty if it was not up in time */
	PRIVATE_PG_FAILED  /* the last line of progress says why */
};

enum { PRIVATE_PG_URL_SIZE = 512 }; /* enough for any url */

/* Makes the database if there is none, starts PostgreSQL and waits until it accepts connections: some seconds the first time,
 * well under one later, longer only when it recovers from a crash. What an earlier run left behind is put in order first.
 * If PostgreSQL should end by itself later, it is started again.
 *
 * A SIGINT or SIGTERM that is blocked and pending ends the wait, as PRIVATE_PG_FAILED.
 * Call it from the main thread, before other threads exist: should this process die, PostgreSQL is told by the kernel to stop.
 * `home` is made if missing. `progress` gets whole lines without a newline, later also from another thread. On OK *out is
 * for private_pg_stop(); otherwise it is NULL. */
enum private_pg_result private_pg_start(const char *home, void (*progress)(const char *line), struct private_pg **out, char *url,
                                        size_t url_size) __attribute__((warn_unused_result));

/* Ends its connections, stops it (fast, with its data on disk) and waits for that, some 90 seconds at the very most.
 * NULL is fine. */
void private_pg_stop(struct private_pg *pg);

#endif
