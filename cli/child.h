/* Programs run as children of this process, if need be as another user. */
#ifndef ASSAY_CLI_CHILD_H
#define ASSAY_CLI_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct os_user {
	uid_t uid;
	gid_t gid;
	bool other; /* not who we are: a child has to change to it */
	char name[64];
};

bool os_user_of(uid_t uid, struct os_user *out);          /* false when there is no such user */
bool os_user_named(const char *name, struct os_user *out);

/* After a fork, in the child: becomes `user` for good. Async-signal-safe. */
bool become(const struct os_user *user);

enum child_life {
	CHILD_IN_FRONT, /* waited for at once; Ctrl-C at the terminal reaches it too */
	CHILD_BESIDE    /* a session of its own, which Ctrl-C does not reach */
};

/* Starts argv[0] (a path) with a clean environment and default signals. stdin is `input`, or nothing when -1; stdout and
 * stderr are `output`. Every other descriptor is closed by its O_CLOEXEC. When the thread that started it dies, the kernel
 * sends it SIGINT: no child outlives us for long. Returns the process id, -1 with errno set. */
pid_t child_start(const char *const *argv, const struct os_user *user, int input, int output, enum child_life life);

/* Waits for its end; true when it exited with 0. */
bool child_succeeded(pid_t pid);

/* Runs it to its end. */
bool child_run(const char *const *argv, const struct os_user *user, int input, int output);

/* Runs a function of ours in a child that is `user`; what it returns (0..255), -1 when it could not be run. */
int child_call(const struct os_user *user, int (*fn)(const void *arg), const void *arg);

#endif
