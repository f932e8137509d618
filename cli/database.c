#include "cli/cli.h"

#include "cli/private_pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct database {
	struct private_pg *ours; /* NULL: somebody else's */
	char url[PRIVATE_PG_URL_SIZE];
	const char *given;
};

static void say(const char *line) { fprintf(stderr, "%s\n", line); }

static struct database *open_database(const struct settings *settings, bool alone)
{
	struct database *database = calloc(1, sizeof *database);
	if (!database)
		return NULL;
	if (settings->database_url) {
		database->given = settings->database_url;
		return database;
	}
	switch (private_pg_start(settings->home, say, &database->ours, database->url, sizeof database->url)) {
	case PRIVATE_PG_OK:
		return database;
	case PRIVATE_PG_IN_USE:
		if (alone)
			fprintf(stderr, "ASSAY_HOME=%s is in use by another assayd; give this one a home of its own.\n", settings->home);
		else if (database->url[0])
			return database; /* a service runs it: use that */
		else
			say("The database is being started by another process; try again.");
		break;
	case PRIVATE_PG_FAILED:
		break;
	}
	free(database);
	return NULL;
}

struct database *database_open(const struct settings *settings) { return open_database(settings, false); }

struct database *database_open_alone(const struct settings *settings) { return open_database(settings, true); }

const char *database_url(const struct database *database) { return database->given ? database->given : database->url; }

void database_close(struct database *database)
{
	if (!database)
		return;
	private_pg_stop(database->ours);
	free(database);
}
