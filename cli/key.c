#include "cli/cli.h"

#include "model/store/migrate.h"
#include "model/store/pepper.h"
#include "model/store/setup.h"

#include <stdio.h>
#include <string.h>

static void tell(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static int usage(void)
{
	fprintf(stderr, "Usage: assayd key create --role admin|operator|feed|partner|auditor [--provider ID] [--name TEXT]\n"
	                "--provider is for a partner's key only; without it the key gets the provider that it registers.\n");
	return EXIT_USAGE;
}

static bool role_known(const char *role)
{
	static const char *const roles[] = {"admin", "operator", "feed", "partner", "auditor"};
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(roles[i], role) == 0)
			return true;
	return false;
}

static bool make(struct db *db, const struct settings *settings, const char *role, const char *name, const char *provider_id,
                 char key[KEY_TEXT_MAX])
{
	unsigned char pepper[PEPPER_BYTES];
	if (!setup_pepper(db, settings->key_pepper_file, pepper, tell))
		return false;
	struct key_hasher *hasher = key_hasher_new(pepper);
	bool ok = hasher && setup_key(db, hasher, role, name, provider_id, key, tell);
	key_hasher_free(hasher);
	explicit_bzero(pepper, sizeof pepper);
	return ok;
}

static int create(const char *role, const char *name, const char *provider_id)
{
	struct settings settings;
	char key[KEY_TEXT_MAX];
	if (!settings_read(&settings, stderr))
		return EXIT_USAGE;
	struct database *database = database_open(&settings);
	struct db *db = database ? db_open(database_url(database)) : NULL;
	bool ok = db && migrate(db, tell) && make(db, &settings, role, name, provider_id, key);
	if (ok)
		printf("%s\n", key);
	db_close(db);
	database_close(database);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

int cmd_key(int argc, char **argv)
{
	const char *role = NULL, *name = "made on the command line", *provider_id = NULL;
	if (argc < 2 || strcmp(argv[1], "create") != 0)
		return usage();
	for (int i = 2; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (strcmp(argv[i], "--role") == 0)
			role = argv[i + 1];
		else if (strcmp(argv[i], "--name") == 0)
			name = argv[i + 1];
		else if (strcmp(argv[i], "--provider") == 0)
			provider_id = argv[i + 1];
		else
			return usage();
	}
	if (!role || !role_known(role) || (provider_id && strcmp(role, "partner") != 0) || !*name || strlen(name) > 200)
		return usage();
	return create(role, name, provider_id);
}
