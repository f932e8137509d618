/* Finding PostgreSQL's programs: where Debian puts them, a directory a version, or else on the PATH. */
#include "cli/private_pg_home.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OLDEST = 15 };

static const char debian_dir[] = "/usr/lib/postgresql";

static bool has_programs(const char *dir)
{
	static const char *const programs[] = {"initdb", "postgres"};
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%s/%s", dir, programs[i]);
		if (n < 0 || (size_t)n >= sizeof(path) || access(path, X_OK) != 0)
			return false;
	}
	return true;
}

static bool wanted(long found, int version)
{
	return version ? found == version : found >= OLDEST;
}

static bool find_debian(int version, char out[PATH_MAX])
{
	DIR *dir = opendir(debian_dir);
	if (!dir)
		return false;
	long best = 0;
	const struct dirent *entry;
	while ((entry = readdir(dir))) {
		char *end;
		long number = strtol(entry->d_name, &end, 10);
		char path[PATH_MAX];
		if (*end || !wanted(number, version) || number <= best)
			continue;
		int n = snprintf(path, sizeof(path), "%s/%s/bin", debian_dir, entry->d_name);
		if (n < 0 || (size_t)n >= sizeof(path) || !has_programs(path))
			continue;
		best = number;
		(void)snprintf(out, PATH_MAX, "%s", path);
	}
	(void)closedir(dir);
	return best > 0;
}

/* What "postgres --version" says: "postgres (PostgreSQL) 15.8". */
static long version_in(const char *dir)
{
	char path[PATH_MAX], line[256] = "";
	int pipe_ends[2];
	int n = snprintf(path, sizeof(path), "%s/postgres", dir);
	if (n < 0 || (size_t)n >= sizeof(path) || pipe2(pipe_ends, O_CLOEXEC) != 0)
		return 0;
	struct os_user self = {.other = false};
	const char *argv[] = {path, "--version", NULL};
	pid_t pid = child_start(argv, &self, -1, pipe_ends[1], CHILD_IN_FRONT);
	(void)close(pipe_ends[1]);
	ssize_t got = pid > 0 ? read(pipe_ends[0], line, sizeof(line) - 1) : -1;
	(void)close(pipe_ends[0]);
	if (!child_succeeded(pid) || got <= 0)
		return 0;
	const char *number = strrchr(line, ')');
	return number ? strtol(number + 1, NULL, 10) : 0;
}

static bool find_on_path(int version, char out[PATH_MAX])
{
	const char *rest = getenv("PATH");
	while (rest && *rest) {
		size_t length = strcspn(rest, ":");
		int n = snprintf(out, PATH_MAX, "%.*s", (int)length, rest);
		if (n > 0 && n < PATH_MAX && out[0] == '/' && has_programs(out) && wanted(version_in(out), version))
			return true;
		rest += length + (rest[length] == ':');
	}
	return false;
}

bool pg_bin_find(int version, char out[PATH_MAX])
{
	return find_debian(version, out) || find_on_path(version, out);
}
