/* Where the private PostgreSQL lives, whose it is, and that nobody else runs it. For cli/private_pg*.c only. */
#ifndef ASSAY_CLI_PRIVATE_PG_HOME_H
#define ASSAY_CLI_PRIVATE_PG_HOME_H

#include "cli/child.h"
#include "cli/private_pg.h"

#include <limits.h>
#include <stdbool.h>

enum { PRIVATE_PG_PORT = 5432 }; /* on a Unix socket a port is but part of the file's name */

typedef void (*progress_fn)(const char *line);

struct pg_home {
	char home[PATH_MAX];   /* ASSAY_HOME, absolute */
	char dir[PATH_MAX];    /* HOME/postgres, links resolved */
	char socket[PATH_MAX]; /* its directory: dir/socket, or one below /tmp when that is too long or odd for a socket */
	char bin[PATH_MAX];    /* the directory of PostgreSQL's programs */
	struct os_user user;   /* whom it runs as */
	int lock_home;         /* descriptors whose flock says that it is ours; -1 */
	int lock_dir;
};

/* Finds or makes the directories, and locks them. Fills all of *h; pg_home_release() in any case. */
enum private_pg_result pg_home_claim(struct pg_home *h, const char *home, progress_fn progress);
void pg_home_release(struct pg_home *h);

/* "dir/name" into out (of PATH_MAX bytes); false when it would not fit. */
bool pg_home_path(const struct pg_home *h, const char *name, char *out);
bool pg_home_has_data(const struct pg_home *h);

/* Replaces the file dir/name by these bytes, whole or not at all. Everyone may read it. */
bool pg_home_write(const struct pg_home *h, const char *name, const char *text);

/* private_pg_bin.c: the newest PostgreSQL there is from version 15 on, or exactly `version` when it is not 0. Writes the
 * directory of its programs; false when there is none. */
bool pg_bin_find(int version, char out[PATH_MAX]);

/* private_pg_make.c: a database where there is none, and the configuration. */
bool pg_make(const struct pg_home *h, progress_fn progress);

/* private_pg_settle.c: what an earlier run left behind: processes are stopped, stale files removed. */
bool pg_settle(const struct pg_home *h, progress_fn progress);

/* One formatted line of progress. */
void pg_say(progress_fn progress, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The last lines of startup.log. */
void pg_say_log(const struct pg_home *h, progress_fn progress);
int pg_open_log(const struct pg_home *h, int flags); /* startup.log; a descriptor or -1 */

#endif
