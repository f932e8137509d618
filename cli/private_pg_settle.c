/* What a run that was killed may have left: PostgreSQL still running, or files that say so although it is not. A process id
 * in a file proves nothing, since ids are used again; that a process is of our PostgreSQL shows in its working directory. */
#include "cli/private_pg_home.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	PROCESSES_MAX = 1024,
	STEP_MS = 50,
	FAST_MS = 60 * 1000,     /* how long a fast stop may take */
	AT_ONCE_MS = 70 * 1000,  /* and an immediate one */
	KILL_MS = 75 * 1000,
};

struct left {
	pid_t pids[PROCESSES_MAX];
	size_t count;
	pid_t postmaster; /* 0: not among them */
};

static pid_t recorded_postmaster(const char *data)
{
	char path[PATH_MAX], text[32] = "";
	if (snprintf(path, sizeof(path), "%s/postmaster.pid", data) >= (int)sizeof(path))
		return 0;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t got = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	return got > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

static bool works_in(pid_t pid, const struct stat *data)
{
	char path[64];
	struct stat st;
	(void)snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	return stat(path, &st) == 0 && st.st_dev == data->st_dev && st.st_ino == data->st_ino;
}

static bool is_postgres(pid_t pid)
{
	char path[64], name[32] = "";
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t got = read(fd, name, sizeof(name) - 1);
	(void)close(fd);
	return got > 0 && strncmp(name, "postgres", strlen("postgres")) == 0;
}

static bool look(const char *data, struct left *left)
{
	struct stat st;
	DIR *proc = opendir("/proc");
	left->count = 0;
	left->postmaster = 0;
	if (!proc || stat(data, &st) != 0) {
		if (proc)
			(void)closedir(proc);
		return false;
	}
	pid_t recorded = recorded_postmaster(data);
	const struct dirent *entry;
	while (left->count < PROCESSES_MAX && (entry = readdir(proc))) {
		char *end;
		pid_t pid = (pid_t)strtol(entry->d_name, &end, 10);
		if (*end || pid <= 1 || !works_in(pid, &st) || !is_postgres(pid))
			continue;
		left->pids[left->count++] = pid;
		if (pid == recorded)
			left->postmaster = pid;
	}
	(void)closedir(proc);
	return true;
}

/* What to send after that many milliseconds, once each; 0: nothing. Without their postmaster the others end by themselves. */
static void urge(const struct left *left, int ms)
{
	if (left->postmaster && ms == 0)
		(void)kill(left->postmaster, SIGINT);
	else if (left->postmaster && ms == FAST_MS)
		(void)kill(left->postmaster, SIGQUIT);
	else if (ms == AT_ONCE_MS)
		for (size_t i = 0; i < left->count; i++)
			(void)kill(left->pids[i], SIGKILL);
}

/* In a child that is PostgreSQL's user, who may see and signal them. 0: none is left, 1: some are, 2: could not be told. */
static int count_left(const void *arg)
{
	const struct pg_home *h = arg;
	char data[PATH_MAX];
	struct left left;
	if (!pg_home_path(h, "data", data) || !look(data, &left))
		return 2;
	return left.count > 0;
}

static int stop_left(const void *arg)
{
	const struct pg_home *h = arg;
	char data[PATH_MAX];
	struct left left;
	if (!pg_home_path(h, "data", data))
		return 1;
	for (int ms = 0; ms < KILL_MS; ms += STEP_MS) {
		if (!look(data, &left))
			return 1;
		if (left.count == 0)
			return 0;
		urge(&left, ms);
		(void)nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
	}
	return 1;
}

static int remove_stale(const void *arg)
{
	const struct pg_home *h = arg;
	char path[PATH_MAX + 64];
	(void)snprintf(path, sizeof(path), "%s/data/postmaster.pid", h->dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/.s.PGSQL.%d", h->socket, PRIVATE_PG_PORT);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/.s.PGSQL.%d.lock", h->socket, PRIVATE_PG_PORT);
	(void)unlink(path);
	return 0;
}

bool pg_settle(const struct pg_home *h, progress_fn progress)
{
	if (!pg_home_has_data(h))
		return true;
	if (child_call(&h->user, count_left, h) == 1) {
		progress("PostgreSQL is still there from a run that was killed: stopping it first");
		if (child_call(&h->user, stop_left, h) != 0) {
			pg_say(progress, "It did not stop: end the processes that work in %s/data, then start again", h->dir);
			return false;
		}
	}
	return child_call(&h->user, remove_stale, h) == 0;
}
