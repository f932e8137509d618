#include "server/priority.h"

#include "server/poll.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	NICE_LOWERED = 5, /* a third of the weight: callers notice little, and with 10 an import takes minutes while they take all they get */
	AUTOGROUP_TRIES = 5,
	CROWD_LASTS_MS = 500
};

static _Atomic int64_t crowd_seen_ms = -CROWD_LASTS_MS; /* now_ms(), when it was seen last */

/* On Linux a priority is a thread's, and the process's own is its first thread's. */
static int of_thread(void) { return getpriority(PRIO_PROCESS, 0); }
static int of_process(void) { return getpriority(PRIO_PROCESS, (id_t)getpid()); }

void priority_lower(void)
{
	(void)setpriority(PRIO_PROCESS, 0, of_process() + NICE_LOWERED); /* lower is always allowed */
}

/* A socket file may lead into another container, where the numbers of processes mean others than here. */
static bool is_postgres(int pid)
{
	static const char title[] = "postgres: ";
	char path[32], read[sizeof title] = "";
	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(read, 1, sizeof title - 1, f) : 0;
	if (f)
		fclose(f);
	return n == sizeof title - 1 && memcmp(read, title, n) == 0;
}

/* Each of PostgreSQL's processes is a session, and where the kernel shares the processor by sessions first (autogroup), it is the
 * session's priority that counts. The kernel takes one such change in 100 ms. */
static void lower_session(int pid, int nice)
{
	char path[32], text[16];
	int len = snprintf(text, sizeof text, "%d", nice);
	snprintf(path, sizeof path, "/proc/%d/autogroup", pid);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < AUTOGROUP_TRIES && write(fd, text, (size_t)len) < 0 && errno == EAGAIN; i++)
		nanosleep(&(struct timespec){.tv_nsec = 110 * 1000 * 1000}, NULL);
	if (fd >= 0)
		close(fd);
}

void priority_pass_on(const PGconn *pg)
{
	const char *host = PQhost(pg);
	int pid = PQbackendPID(pg), nice = of_thread();
	if (nice > of_process() && host && *host == '/' && pid > 0 && is_postgres(pid) && setpriority(PRIO_PROCESS, (id_t)pid, nice) == 0)
		lower_session(pid, nice);
}

void priority_crowd_seen(int64_t now_ms) { atomic_store_explicit(&crowd_seen_ms, now_ms, memory_order_relaxed); }

bool priority_crowd(void) { return now_ms() - atomic_load_explicit(&crowd_seen_ms, memory_order_relaxed) < CROWD_LASTS_MS; }
