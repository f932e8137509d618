#include "model/store/migrate.h"

#include "cli/cli.h"

#include <stdio.h>

static void tell(const char *line) { printf("%s\n", line); }

int cmd_migrate(int argc, char **argv)
{
	struct settings settings;
	(void)argv;
	if (argc != 1) {
		fprintf(stderr, "Usage: assayd migrate\n");
		return EXIT_USAGE;
	}
	if (!settings_read(&settings, stderr))
		return EXIT_USAGE;
	struct database *database = database_open(&settings);
	struct db *db = database ? db_open(database_url(database)) : NULL;
	bool ok = db && migrate(db, tell);
	if (ok)
		printf("The schema is up to date.\n");
	db_close(db);
	database_close(database);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}
