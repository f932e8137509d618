#include "cli/private_pg.h"

#include "cli/private_pg_home.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	POLL_MS = 20,
	SILENT_MS = 60 * 1000,        /* how long a start may go without an answer at all */
	RECOVERY_MS = 30 * 60 * 1000, /* and how long it may answer that it is recovering */
	SAY_EVERY_MS = 5 * 1000,
	FAST_STOP_MS = 60 * 1000,
	IMMEDIATE_STOP_MS = 20 * 1000,
	KILLED_MS = 5 * 1000,
	RESTART_MS = 200, /* doubled up to RESTART_MAX_MS while it ends again and again */
	RESTART_MAX_MS = 30 * 1000,
	STEADY_MS = 60 * 1000, /* it has run for so long: the next pause is the shortest again */
	IN_USE_WAIT_MS = 60 * 1000,
};

struct private_pg {
	struct pg_home home;
	progress_fn progress;
	pthread_t watcher; /* starts PostgreSQL, and again when it ends; it is the parent whose death the kernel tells about */
	int stop_event;    /* readable: stop */
	atomic_bool up;    /* has accepted connections */
	atomic_bool ended; /* the watcher gave up: it ended, or could not be started, before it was ever up */
};

static long long now_ms(void)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
	(void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000}, NULL);
}

/* True when fd became readable in time. */
static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, timeout_ms) > 0;
}

static pid_t spawn(const struct pg_home *h)
{
	char program[PATH_MAX + 16], data[PATH_MAX], port[16];
	char config[PATH_MAX + 32], hba[PATH_MAX + 32], ident[PATH_MAX + 32], logs[PATH_MAX + 32], sockets[PATH_MAX + 32];
	(void)snprintf(program, sizeof(program), "%s/postgres", h->bin);
	(void)snprintf(port, sizeof(port), "port=%d", PRIVATE_PG_PORT);
	(void)snprintf(config, sizeof(config), "config_file=%s/postgresql.conf", h->dir);
	(void)snprintf(hba, sizeof(hba), "hba_file=%s/pg_hba.conf", h->dir);
	(void)snprintf(ident, sizeof(ident), "ident_file=%s/pg_ident.conf", h->dir);
	(void)snprintf(logs, sizeof(logs), "log_directory=%s/log", h->dir);
	(void)snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", h->socket); /* plain: see find_socket() */
	if (!pg_home_path(h, "data", data))
		return -1;
	const char *argv[] = {program, "-D", data, "-c", config, "-c", hba, "-c", ident, "-c", logs, "-c", sockets, "-c", port,
	                      "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "cluster_name=assay", NULL};
	int log = pg_open_log(h, O_WRONLY | O_CREAT | O_TRUNC);
	if (log < 0)
		return -1;
	pid_t pid = child_start(argv, &h->user, -1, log, CHILD_BESIDE);
	(void)close(log);
	return pid;
}

/* Ever less politely; in all at most as long as the bounds above add up to. */
static void stop_process(pid_t pid, int pidfd)
{
	static const struct {
		int signal;
		int wait_ms;
	} steps[] = {{SIGINT, FAST_STOP_MS}, {SIGQUIT, IMMEDIATE_STOP_MS}, {SIGKILL, KILLED_MS}};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		(void)kill(pid, steps[i].signal);
		if (readable(pidfd, steps[i].wait_ms))
			return;
	}
}

/* Starts PostgreSQL and stays with it until it ends; true when that was because it was to stop. */
static bool run_once(struct private_pg *pg)
{
	pid_t pid = spawn(&pg->home);
	if (pid < 0)
		return false;
	int pidfd = pidfd_open(pid, 0);
	if (pidfd < 0) {
		(void)kill(pid, SIGQUIT);
		(void)child_succeeded(pid);
		return false;
	}
	struct pollfd either[] = {{.fd = pidfd, .events = POLLIN}, {.fd = pg->stop_event, .events = POLLIN}};
	while (poll(either, 2, -1) < 0 && errno == EINTR)
		continue;
	bool stopping = readable(pg->stop_event, 0);
	if (stopping)
		stop_process(pid, pidfd);
	(void)child_succeeded(pid);
	(void)close(pidfd);
	return stopping;
}

static void *watch(void *arg)
{
	struct private_pg *pg = arg;
	int pause = RESTART_MS;
	for (;;) {
		long long began = now_ms();
		if (run_once(pg))
			return NULL;
		if (!atomic_load(&pg->up)) {
			atomic_store(&pg->ended, true);
			return NULL;
		}
		pause = now_ms() - began > STEADY_MS ? RESTART_MS : pause * 2 > RESTART_MAX_MS ? RESTART_MAX_MS : pause * 2;
		pg->progress("PostgreSQL ended by itself; starting it again");
		if (readable(pg->stop_event, pause))
			return NULL;
	}
}

/* The path is plain: nothing in it needs escaping. */
static bool write_url(const struct pg_home *h, char *url, size_t size)
{
	int n = snprintf(url, size, "postgresql://assay@/assay?host=%s&port=%d", h->socket, PRIVATE_PG_PORT);
	return n > 0 && (size_t)n < size;
}

/* Once it pings, whether it also lets us in. */
static bool lets_in(const char *url, progress_fn progress)
{
	PGconn *conn = PQconnectdb(url);
	bool good = PQstatus(conn) == CONNECTION_OK;
	if (!good)
		pg_say(progress, "PostgreSQL runs but refuses us: %s", PQerrorMessage(conn));
	PQfinish(conn);
	return good;
}

/* A program that blocks these signals to take them later, when it serves, is not to wait for that. */
static bool interrupted(void)
{
	sigset_t pending;
	return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

static bool wait_until_up(struct private_pg *pg, const char *url)
{
	long long began = now_ms(), heard = began, said = began;
	for (;;) {
		PGPing ping = PQping(url);
		long long now = now_ms();
		if (ping == PQPING_OK)
			return lets_in(url, pg->progress);
		if (ping == PQPING_REJECT)
			heard = now;
		if (interrupted()) {
			pg->progress("Interrupted while PostgreSQL was starting");
			return false;
		}
		if (atomic_load(&pg->ended) || now - heard > SILENT_MS || now - began > RECOVERY_MS) {
			pg_say_log(&pg->home, pg->progress);
			pg_say(pg->progress, "PostgreSQL did not start; see %s/startup.log and %s/log", pg->home.dir, pg->home.dir);
			return false;
		}
		if (now - said > SAY_EVERY_MS) {
			pg_say(pg->progress, "Waiting for PostgreSQL%s", ping == PQPING_REJECT ? ", which recovers from a crash" : "");
			said = now;
		}
		pause_ms(POLL_MS);
	}
}

/* The one that another process runs: its URL, once it is up. */
static void use_running(const struct pg_home *h, char *url, size_t size)
{
	char path[PATH_MAX + 32];
	(void)snprintf(path, sizeof(path), "%s/postgres/url", h->home);
	for (long long began = now_ms(); now_ms() - began < IN_USE_WAIT_MS; pause_ms(POLL_MS)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = fd >= 0 ? read(fd, url, size - 1) : -1;
		if (fd >= 0)
			(void)close(fd);
		url[got > 0 ? got : 0] = '\0';
		if (got > 0 && PQping(url) == PQPING_OK)
			return;
	}
	url[0] = '\0';
}

static bool find_programs(struct pg_home *h, progress_fn progress)
{
	char path[PATH_MAX], text[16] = "";
	int version = 0;
	if (pg_home_path(h, "data/PG_VERSION", path)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
			version = (int)strtol(text, NULL, 10);
		if (fd >= 0)
			(void)close(fd);
	}
	if (pg_bin_find(version, h->bin))
		return true;
	if (version)
		pg_say(progress, "The data in %s is PostgreSQL %d's, which is not installed: install postgresql-%d", h->dir, version, version);
	else
		progress("PostgreSQL 15 or newer is not installed: install postgresql-15, or set ASSAY_DATABASE_URL");
	return false;
}

/* With all signals blocked, so that they go to the threads that wait for them. */
static bool start_watcher(struct private_pg *pg)
{
	sigset_t all, before;
	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return false;
	bool good = pthread_create(&pg->watcher, NULL, watch, pg) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return good;
}

static void end(struct private_pg *pg)
{
	char path[PATH_MAX];
	if (pg->home.lock_dir >= 0 && pg_home_path(&pg->home, "url", path)) {
		(void)unlink(path);
		(void)rmdir(pg->home.socket); /* made again at the next start; there may be one below /tmp otherwise */
	}
	if (pg->stop_event >= 0)
		(void)close(pg->stop_event);
	pg_home_release(&pg->home);
	free(pg);
}

void private_pg_stop(struct private_pg *pg)
{
	if (!pg)
		return;
	(void)eventfd_write(pg->stop_event, 1);
	(void)pthread_join(pg->watcher, NULL);
	end(pg);
}

static bool prepare(struct private_pg *pg, char *url, size_t url_size)
{
	struct pg_home *h = &pg->home;
	if (!find_programs(h, pg->progress) || !pg_settle(h, pg->progress) || !pg_make(h, pg->progress))
		return false;
	pg->stop_event = eventfd(0, EFD_CLOEXEC);
	if (pg->stop_event < 0 || !write_url(h, url, url_size)) {
		pg_say(pg->progress, "PostgreSQL could not be prepared: %s", strerror(errno));
		return false;
	}
	return true;
}

enum private_pg_result private_pg_start(const char *home, progress_fn progress, struct private_pg **out, char *url, size_t url_size)
{
	*out = NULL;
	url[0] = '\0';
	struct private_pg *pg = calloc(1, sizeof(*pg));
	if (!pg) {
		progress("Out of memory");
		return PRIVATE_PG_FAILED;
	}
	pg->progress = progress;
	pg->stop_event = -1;
	enum private_pg_result result = pg_home_claim(&pg->home, home, progress);
	if (result == PRIVATE_PG_IN_USE) {
		use_running(&pg->home, url, url_size);
		pg_home_release(&pg->home);
		free(pg);
		return result;
	}
	if (result != PRIVATE_PG_OK || !prepare(pg, url, url_size) || !start_watcher(pg)) {
		end(pg);
		return PRIVATE_PG_FAILED;
	}
	if (!wait_until_up(pg, url) || !pg_home_write(&pg->home, "url", url)) {
		private_pg_stop(pg);
		return PRIVATE_PG_FAILED;
	}
	atomic_store(&pg->up, true);
	*out = pg;
	return PRIVATE_PG_OK;
}
