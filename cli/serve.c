/* assayd serve: database, schema, policy, key, then the service until it is asked to stop. */
#include "cli/cli.h"
#include "cli/schedule.h"
#include "handlers/routes.h"
#include "model/store/keys.h"
#include "model/store/migrate.h"
#include "model/store/pepper.h"
#include "model/store/setup.h"
#include "server/embedded.h"
#include "server/log.h"
#include "server/service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, READY_TRIES = 500 };

static void say(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

/* ---- admin.key ---- */

static bool read_key(const char *path, char key[KEY_TEXT_MAX])
{
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	bool ok = fgets(key, KEY_TEXT_MAX, file) != NULL;
	fclose(file);
	if (ok)
		key[strcspn(key, "\n")] = '\0';
	return ok && *key;
}

static bool write_key(const char *path, const char *key)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bool ok = fchmod(fd, 0600) == 0 && dprintf(fd, "%s\n", key) > 0 && fsync(fd) == 0;
	return close(fd) == 0 && ok;
}

/* HOME/admin.key holds a key of role admin that works: the one of an earlier start, else a new one. */
static bool provide_admin_key(struct db *db, struct key_hasher *hasher, const char *home)
{
	char path[PATH_BYTES], line[PATH_BYTES + 100], key[KEY_TEXT_MAX];
	snprintf(path, sizeof path, "%s/admin.key", home);
	if (read_key(path, key) && setup_key_valid(db, hasher, key))
		return true;
	if (!setup_key(db, hasher, "admin", "admin.key", NULL, key, say))
		return false;
	bool ok = write_key(path, key);
	explicit_bzero(key, sizeof key);
	snprintf(line, sizeof line, ok ? "A key of role admin is in %s" : "Cannot write %s", path);
	say(line);
	return ok;
}

static bool make_home(const char *home)
{
	/* Passable: root's private PostgreSQL is another user. What is secret in there is so by its own mode. */
	if (mkdir(home, 0711) == 0 || errno == EEXIST)
		return true;
	fprintf(stderr, "Cannot make ASSAY_HOME, %s: %s\n", home, strerror(errno));
	return false;
}

/* ---- the example policy ---- */

static bool provide_policy(struct db *db)
{
	const struct embedded_file *example = embedded_find("examples/policy-antiques-art.json");
	bool any;
	if (!setup_has_policies(db, &any))
		return false;
	if (any)
		return true;
	say("No policy yet: publishing the example policy. Its deposit and documents are an example's, not the platform's.");
	return example && setup_policy(db, (const char *)example->data, example->size, say);
}

/* ---- serving ---- */

static bool provide_keys(struct db *db, const struct settings *settings, unsigned char pepper[PEPPER_BYTES])
{
	if (!setup_pepper(db, settings->key_pepper_file, pepper, say))
		return false;
	struct key_hasher *hasher = key_hasher_new(pepper);
	bool ok = hasher && provide_admin_key(db, hasher, settings->home);
	key_hasher_free(hasher);
	return ok;
}

static bool prepare(const char *url, const struct settings *settings, unsigned char pepper[PEPPER_BYTES])
{
	struct db *db = db_open(url);
	bool ok = db && migrate(db, say) && setup_clock(db, settings->sandbox, say) && provide_policy(db) &&
	          provide_keys(db, settings, pepper);
	db_close(db);
	return ok;
}

static void wait_for_signal(const sigset_t *signals)
{
	int which = 0;
	sigwait(signals, &which);
	say(which == SIGINT ? "\nStopping (Ctrl-C)..." : "Stopping...");
}

static enum log_level level_by_name(const char *name)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	for (int i = 0; i < 4; i++)
		if (strcmp(name, names[i]) == 0)
			return (enum log_level)i;
	return LOG_INFO;
}

/* The database was there a moment ago, so its connections are a matter of milliseconds; should it go just now, the service
 * serves all the same and says 503 until it is back. */
static void wait_until_ready(void)
{
	struct timespec pause = {.tv_nsec = 10 * 1000000};
	for (int i = 0; i < READY_TRIES && !service_ready(); i++)
		nanosleep(&pause, NULL);
}

static bool run(const char *url, const struct settings *settings, const unsigned char pepper[PEPPER_BYTES],
                const sigset_t *signals)
{
	const struct service_config config = {
	        .settings = settings,
	        .database_url = url,
	        .read_database_url = settings->read_database_url,
	        .operations = operations,
	        .operations_len = operations_len,
	        .auth_by_hash = &AUTH_KEY,
	        .auth_key_used = &KEY_USED,
	        .pepper = pepper,
	};
	if (!service_start(&config) || !schedule_start(url))
		return false;
	wait_until_ready();
	fprintf(stderr, "Assay serves on http://%s%s - the reference is at /docs, the key in %s/admin.key\n", service_address(),
	        settings->sandbox ? " (sandbox)" : "", settings->home);
	wait_for_signal(signals);
	schedule_stop();
	if (service_stop())
		return true;
	say("Work was left that did not end in time; it is rolled back.");
	return false;
}

static bool read_arguments(int argc, char **argv, struct settings *settings)
{
	bool sandbox = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--sandbox") != 0) {
			fprintf(stderr, "Usage: assayd serve [--sandbox]\n");
			return false;
		}
		sandbox = true;
	}
	if (!settings_read(settings, stderr))
		return false;
	settings->sandbox = settings->sandbox || sandbox;
	return true;
}

int cmd_serve(int argc, char **argv)
{
	struct settings settings;
	unsigned char pepper[PEPPER_BYTES];
	sigset_t signals;
	if (!read_arguments(argc, argv, &settings))
		return EXIT_USAGE;
	log_set_level(level_by_name(settings.log_level));
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL); /* every thread inherits it: only wait_for_signal() takes them */
	signal(SIGPIPE, SIG_IGN);
	if (!make_home(settings.home))
		return EXIT_REFUSED;
	struct database *database = database_open_alone(&settings);
	if (!database)
		return EXIT_REFUSED;
	bool ok =
	        prepare(database_url(database), &settings, pepper) && run(database_url(database), &settings, pepper, &signals);
	database_close(database);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}
