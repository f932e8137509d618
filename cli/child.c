#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_STARTED = 127 };

static bool os_user_from(const struct passwd *pw, struct os_user *out)
{
	if (!pw)
		return false;
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	out->other = pw->pw_uid != geteuid();
	return snprintf(out->name, sizeof(out->name), "%s", pw->pw_name) < (int)sizeof(out->name);
}

bool os_user_of(uid_t uid, struct os_user *out)
{
	struct passwd pw, *found = NULL;
	char memory[4096];
	return getpwuid_r(uid, &pw, memory, sizeof(memory), &found) == 0 && os_user_from(found, out);
}

bool os_user_named(const char *name, struct os_user *out)
{
	struct passwd pw, *found = NULL;
	char memory[4096];
	return getpwnam_r(name, &pw, memory, sizeof(memory), &found) == 0 && os_user_from(found, out);
}

/* The system calls themselves: libc's wrappers change every thread, by signals, and are not for after a fork. */
bool become(const struct os_user *user)
{
	if (!user->other)
		return true;
	return syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setresgid, user->gid, user->gid, user->gid) == 0 &&
	       syscall(SYS_setresuid, user->uid, user->uid, user->uid) == 0;
}

static void default_signals(void)
{
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child, until it is another program: only what is safe after a fork in a program with threads. */
static void run_program(const char *const *argv, const struct os_user *user, int input, int output, enum child_life life, pid_t parent)
{
	char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", locale[] = "LC_ALL=C", home[] = "HOME=/";
	char *const environment[] = {path, locale, home, NULL};
	default_signals();
	if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 || !become(user))
		return;
	if (life == CHILD_BESIDE && setsid() < 0)
		return;
	/* After become(): a change of user clears it. The parent may have died before the kernel was told. */
	if (prctl(PR_SET_PDEATHSIG, SIGINT) != 0 || getppid() != parent || chdir("/") != 0)
		return;
	/* execve() takes its strings as constants but cannot say so. */
	(void)execve(argv[0], (char *const *)(uintptr_t)argv, environment);
}

pid_t child_start(const char *const *argv, const struct os_user *user, int input, int output, enum child_life life)
{
	int nothing = -1;
	if (input < 0) {
		nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (nothing < 0)
			return -1;
		input = nothing;
	}
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		run_program(argv, user, input, output, life, parent);
		_exit(EXIT_NOT_STARTED);
	}
	int error = errno;
	if (nothing >= 0)
		(void)close(nothing);
	errno = error;
	return pid;
}

static int wait_for(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool child_succeeded(pid_t pid)
{
	return pid > 0 && wait_for(pid) == 0;
}

bool child_run(const char *const *argv, const struct os_user *user, int input, int output)
{
	return child_succeeded(child_start(argv, user, input, output, CHILD_IN_FRONT));
}

int child_call(const struct os_user *user, int (*fn)(const void *arg), const void *arg)
{
	pid_t pid = fork();
	if (pid == 0) {
		default_signals();
		_exit(become(user) ? fn(arg) : EXIT_NOT_STARTED);
	}
	return pid < 0 ? -1 : wait_for(pid);
}
