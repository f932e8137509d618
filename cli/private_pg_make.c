/* Making the database, once, and the configuration that goes with it. */
#include "cli/private_pg_home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* The service's own role is no superuser; it owns its database. */
static const char bootstrap_sql[] = "create role assay login\n"
                                    "create database assay owner assay\n";

static unsigned long long ram_megabytes(void)
{
	struct sysinfo info;
	if (sysinfo(&info) != 0)
		return 1024;
	return (unsigned long long)info.totalram * info.mem_unit / (1024 * 1024);
}

static bool run(const struct pg_home *h, const char *const *argv, int input, int log)
{
	return child_run(argv, &h->user, input, log);
}

/* The first change of a page after a checkpoint logs all of it. By pglz, which "on" means, a write costs twice as much then; not every
 * PostgreSQL is built with lz4. */
static const char *wal_compression(const struct pg_home *h)
{
	char postgres[PATH_MAX + 16], data[PATH_MAX];
	(void)snprintf(postgres, sizeof(postgres), "%s/postgres", h->bin);
	if (!pg_home_path(h, "data", data))
		return "on";
	const char *ask[] = {postgres, "-D", data, "-C", "wal_compression", "-c", "wal_compression=lz4", NULL};
	int log = pg_open_log(h, O_WRONLY | O_CREAT | O_TRUNC);
	bool has_lz4 = log >= 0 && run(h, ask, -1, log);
	if (log >= 0)
		(void)close(log);
	return has_lz4 ? "lz4" : "on";
}

static bool write_settings(const struct pg_home *h)
{
	char path[PATH_MAX], text[2048];
	struct stat st;
	if (pg_home_path(h, "postgresql.conf", path) && stat(path, &st) == 0)
		return true; /* the operator's */
	unsigned long long ram = ram_megabytes();
	unsigned long long shared = ram / 8 < 64 ? 64 : ram / 8 > 1024 ? 1024 : ram / 8;
	int n = snprintf(text, sizeof(text),
	                 "# Written once; yours to edit. Where PostgreSQL listens, who may connect and where it logs is set by\n"
	                 "# the service when it starts it. What is committed is on disk: fsync and synchronous_commit are on.\n"
	                 "shared_buffers = %lluMB\n"
	                 "effective_cache_size = %lluMB\n"
	                 "work_mem = 16MB\n"
	                 "maintenance_work_mem = 128MB\n"
	                 "max_connections = 200\n"
	                 "max_locks_per_transaction = 256 # day facts are partitioned by month\n"
	                 "max_wal_size = 2GB\n"
	                 "checkpoint_timeout = 15min\n"
	                 "wal_compression = %s\n"
	                 "random_page_cost = 1.1\n"
	                 "jit = off # statements are short\n"
	                 "timezone = 'UTC'\n"
	                 "log_timezone = 'UTC'\n"
	                 "log_min_messages = warning\n"
	                 "log_checkpoints = off\n"
	                 "log_line_prefix = '%%m [%%p] '\n"
	                 "log_error_verbosity = terse # a detail would quote rows, and with them people\n"
	                 "# A file for each day of the week.\n"
	                 "logging_collector = on\n"
	                 "log_filename = 'postgres-%%a.log'\n"
	                 "log_truncate_on_rotation = on\n"
	                 "log_rotation_age = 1d\n"
	                 "log_rotation_size = 0\n",
	                 shared, ram / 2 < shared ? shared : ram / 2, wal_compression(h));
	return n > 0 && (size_t)n < sizeof(text) && pg_home_write(h, "postgresql.conf", text);
}

/* Who may connect: by the kernel's word on who asks, as the service's role or as the superuser. */
static bool write_access(const struct pg_home *h)
{
	struct os_user self;
	char text[512];
	const char *me = os_user_of(geteuid(), &self) ? self.name : "root";
	int n = snprintf(text, sizeof(text), "assay \"%s\" assay\nassay \"%s\" postgres\n", me, me);
	if (n > 0 && (size_t)n < sizeof(text) && strcmp(me, h->user.name) != 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "assay \"%s\" assay\nassay \"%s\" postgres\n", h->user.name, h->user.name);
	if (n > 0 && (size_t)n < sizeof(text) && strcmp(me, "root") != 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "assay root assay\nassay root postgres\n");
	return n > 0 && (size_t)n < sizeof(text) && pg_home_write(h, "pg_ident.conf", text) &&
	       pg_home_write(h, "pg_hba.conf", "local all all peer map=assay\n");
}

/* The SQL as a file to read from. */
static int bootstrap_input(void)
{
	int fd = memfd_create("bootstrap", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	size_t length = strlen(bootstrap_sql);
	if (write(fd, bootstrap_sql, length) == (ssize_t)length && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static bool fill(const struct pg_home *h, const char *data, int log)
{
	char initdb[PATH_MAX + 16], postgres[PATH_MAX + 16];
	(void)snprintf(initdb, sizeof(initdb), "%s/initdb", h->bin);
	(void)snprintf(postgres, sizeof(postgres), "%s/postgres", h->bin);
	const char *make[] = {initdb, "-D", data, "-U", "postgres", "--encoding=UTF8", "--locale=C", "--lc-ctype=C.UTF-8", "--data-checksums",
	                      "--auth=peer", "--no-instructions", NULL};
	const char *single[] = {postgres, "--single", "-D", data, "-c", "exit_on_error=on", "postgres", NULL};
	int input = bootstrap_input();
	if (input < 0)
		return false;
	bool good = run(h, make, -1, log) && run(h, single, input, log);
	(void)close(input);
	return good;
}

static bool sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		(void)close(fd);
	return good;
}

/* What interrupted starts left; what is still being removed by a dying initdb may fail to go, and goes another time. */
static void remove_leftovers(const struct pg_home *h, int log)
{
	const char *argv[] = {"/bin/sh", "-c", "rm -rf -- \"$1\"/data.new.*", "sh", h->dir, NULL};
	struct os_user self = {.other = false};
	(void)child_run(argv, &self, -1, log);
}

/* Under another name until it is whole: a start that is interrupted leaves nothing half made. */
static bool make_data(const struct pg_home *h, progress_fn progress)
{
	char data[PATH_MAX], fresh[PATH_MAX];
	if (!pg_home_path(h, "data", data) || !pg_home_path(h, "data.new.XXXXXX", fresh))
		return false;
	pg_say(progress, "Making a database in %s (once; a few seconds)", h->dir);
	int log = pg_open_log(h, O_WRONLY | O_CREAT | O_TRUNC);
	if (log < 0) {
		pg_say(progress, "%s/startup.log: %s", h->dir, strerror(errno));
		return false;
	}
	remove_leftovers(h, log);
	bool good = mkdtemp(fresh) && (!h->user.other || lchown(fresh, h->user.uid, h->user.gid) == 0);
	good = good && fill(h, fresh, log) && rename(fresh, data) == 0 && sync_dir(h->dir);
	if (good)
		remove_leftovers(h, log);
	(void)close(log);
	if (!good) {
		pg_say_log(h, progress);
		pg_say(progress, "The database could not be made; see %s/startup.log", h->dir);
	}
	return good;
}

bool pg_make(const struct pg_home *h, progress_fn progress)
{
	if (!pg_home_has_data(h) && !make_data(h, progress))
		return false;
	if (write_settings(h) && write_access(h))
		return true;
	pg_say(progress, "PostgreSQL's configuration could not be written to %s: %s", h->dir, strerror(errno));
	return false;
}
