#include "cli/private_pg_home.h"

#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Where root's data goes when the user `postgres` cannot get to HOME (below /root, say, or in another user's home). */
static const char system_dir[] = "/var/lib/assay";

void pg_say(progress_fn progress, const char *fmt, ...)
{
	char line[2 * PATH_MAX];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	progress(line);
}

static bool join(char *out, const char *dir, const char *name)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);
	return n > 0 && n < PATH_MAX;
}

bool pg_home_path(const struct pg_home *h, const char *name, char *out)
{
	return join(out, h->dir, name);
}

bool pg_home_has_data(const struct pg_home *h)
{
	char path[PATH_MAX];
	struct stat st;
	return pg_home_path(h, "data", path) && stat(path, &st) == 0;
}

bool pg_home_write(const struct pg_home *h, const char *name, const char *text)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	if (!pg_home_path(h, name, path) || snprintf(fresh, sizeof(fresh), "%s/%s.new", h->dir, name) >= (int)sizeof(fresh))
		return false;
	(void)unlink(fresh);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	size_t length = strlen(text);
	bool good = write(fd, text, length) == (ssize_t)length && fchmod(fd, 0644) == 0;
	good = close(fd) == 0 && good;
	return good && rename(fresh, path) == 0;
}

int pg_open_log(const struct pg_home *h, int flags)
{
	char path[PATH_MAX];
	if (!pg_home_path(h, "startup.log", path))
		return -1;
	return open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0644);
}

void pg_say_log(const struct pg_home *h, progress_fn progress)
{
	char text[2048];
	int fd = pg_open_log(h, O_RDONLY);
	if (fd < 0)
		return;
	off_t size = lseek(fd, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(text) - 1 ? size - (off_t)sizeof(text) + 1 : 0;
	ssize_t got = pread(fd, text, sizeof(text) - 1, from);
	(void)close(fd);
	if (got <= 0)
		return;
	text[got] = '\0';
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (*line)
			pg_say(progress, "  postgres: %s", line);
	}
}

/* Makes HOME and what leads to it. */
static bool make_home(struct pg_home *h, const char *home)
{
	char path[PATH_MAX];
	if (*home == '\0' || snprintf(path, sizeof(path), "%s", home) >= (int)sizeof(path))
		return false;
	/* Root's PostgreSQL is another user, who has to pass through; what is secret in HOME is so by its own mode. */
	mode_t mode = geteuid() == 0 ? 0711 : 0700;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return false;
		*slash = '/';
	}
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return false;
	return realpath(path, h->home) != NULL;
}

static int try_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB);
}

static int can_enter(const void *path)
{
	return chdir(path) == 0 ? 0 : 1;
}

/* Whom PostgreSQL runs as: ourselves; or, since it refuses to be root, the owner of the data or the user `postgres`. */
static bool choose_user(struct pg_home *h, progress_fn progress)
{
	uid_t self = geteuid();
	if (self != 0) {
		if (os_user_of(self, &h->user))
			return true;
		pg_say(progress, "The user with the id %u has no name, so PostgreSQL will not run as it", (unsigned)self);
		return false;
	}
	char data[PATH_MAX];
	struct stat st;
	if (join(data, h->home, "postgres/data") && stat(data, &st) == 0 && st.st_uid != 0 && os_user_of(st.st_uid, &h->user))
		return true;
	if (os_user_named("postgres", &h->user))
		return true;
	progress("There is no user 'postgres' to run PostgreSQL as, which refuses to run as root: install postgresql-15");
	return false;
}

/* A directory for the data that the other user can get to, with a symbolic link to it from HOME/postgres. */
static bool make_elsewhere(const struct pg_home *h, const char *link, progress_fn progress)
{
	char digest[SHA256_HEX], path[PATH_MAX];
	sha256_hex(h->home, strlen(h->home), digest);
	(void)snprintf(path, sizeof(path), "%s/%.8s.XXXXXX", system_dir, digest);
	if ((mkdir(system_dir, 0755) != 0 && errno != EEXIST) || !mkdtemp(path) || chmod(path, 0755) != 0 || symlink(path, link) != 0) {
		pg_say(progress, "The user '%s' cannot get to %s, and %s cannot be used instead: %s", h->user.name, h->home, system_dir,
		       strerror(errno));
		return false;
	}
	pg_say(progress, "The user '%s' cannot get to %s: the data is in %s instead", h->user.name, h->home, path);
	return true;
}

static bool find_dir(struct pg_home *h, progress_fn progress)
{
	char path[PATH_MAX];
	if (!join(path, h->home, "postgres"))
		return false;
	if ((mkdir(path, h->user.other ? 0755 : 0700) != 0 && errno != EEXIST) || !realpath(path, h->dir)) {
		pg_say(progress, "%s cannot be used: %s", path, strerror(errno));
		return false;
	}
	if (!h->user.other || child_call(&h->user, can_enter, h->dir) == 0)
		return true;
	/* rmdir() removes only what is empty, and no link: nothing of an earlier run. */
	if (rmdir(path) == 0)
		return make_elsewhere(h, path, progress) && realpath(path, h->dir);
	pg_say(progress, "The user '%s', whom PostgreSQL runs as, cannot get to %s: make the directories above it passable (chmod a+x), "
	       "or set ASSAY_HOME to another", h->user.name, h->dir);
	return false;
}

static bool make_inner(const struct pg_home *h, const char *path)
{
	if (mkdir(path, 0700) == 0)
		return !h->user.other || lchown(path, h->user.uid, h->user.gid) == 0;
	return errno == EEXIST;
}

/* A directory outside of HOME may have been put there by someone else: it is used only when it is ours alone. */
static bool is_private(const struct pg_home *h, const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == h->user.uid && (st.st_mode & 077) == 0;
}

/* A socket's path has a limit of about 107 bytes, and a comma in it would mean two hosts in a URL. */
static bool suits_socket(const char *dir)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
	const size_t limit = sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof("/.s.PGSQL.65535.lock");
	size_t length = strlen(dir);
	return length <= limit && strspn(dir, plain) == length;
}

static bool find_socket(struct pg_home *h, progress_fn progress)
{
	char digest[SHA256_HEX];
	if (pg_home_path(h, "socket", h->socket) && suits_socket(h->socket))
		return make_inner(h, h->socket);
	sha256_hex(h->dir, strlen(h->dir), digest);
	(void)snprintf(h->socket, sizeof(h->socket), "/tmp/assay-%u-%.16s", (unsigned)h->user.uid, digest);
	if (make_inner(h, h->socket) && is_private(h, h->socket))
		return true;
	pg_say(progress, "%s, for PostgreSQL's socket, is not a directory of '%s' alone", h->socket, h->user.name);
	return false;
}

static bool check_owner(const struct pg_home *h, progress_fn progress)
{
	char path[PATH_MAX];
	struct stat st;
	struct os_user owner;
	if (!pg_home_path(h, "data", path) || stat(path, &st) != 0 || st.st_uid == h->user.uid)
		return true;
	pg_say(progress, "%s belongs to %s: run as that user or as root, or set ASSAY_HOME to another directory", path,
	       os_user_of(st.st_uid, &owner) ? owner.name : "another user");
	return false;
}

static enum private_pg_result lock_both(struct pg_home *h, progress_fn progress)
{
	char path[PATH_MAX];
	h->lock_home = open(h->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->lock_home < 0) {
		pg_say(progress, "%s: %s", h->home, strerror(errno));
		return PRIVATE_PG_FAILED;
	}
	if (try_lock(h->lock_home) != 0)
		return PRIVATE_PG_IN_USE;
	if (!choose_user(h, progress) || !find_dir(h, progress) || !check_owner(h, progress))
		return PRIVATE_PG_FAILED;
	/* A second lock: a copy of HOME may have a link to the same data. */
	if (pg_home_path(h, "lock", path))
		h->lock_dir = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (h->lock_dir < 0) {
		pg_say(progress, "%s/lock: %s", h->dir, strerror(errno));
		return PRIVATE_PG_FAILED;
	}
	return try_lock(h->lock_dir) == 0 ? PRIVATE_PG_OK : PRIVATE_PG_IN_USE;
}

enum private_pg_result pg_home_claim(struct pg_home *h, const char *home, progress_fn progress)
{
	*h = (struct pg_home){.lock_home = -1, .lock_dir = -1};
	if (!make_home(h, home)) {
		pg_say(progress, "ASSAY_HOME=%s cannot be made: %s", home, strerror(errno));
		return PRIVATE_PG_FAILED;
	}
	enum private_pg_result result = lock_both(h, progress);
	if (result != PRIVATE_PG_OK)
		return result;
	char log[PATH_MAX];
	if (!find_socket(h, progress) || !pg_home_path(h, "log", log) || !make_inner(h, log))
		return PRIVATE_PG_FAILED;
	return PRIVATE_PG_OK;
}

void pg_home_release(struct pg_home *h)
{
	if (h->lock_dir >= 0)
		(void)close(h->lock_dir);
	if (h->lock_home >= 0)
		(void)close(h->lock_home);
	h->lock_dir = h->lock_home = -1;
}
