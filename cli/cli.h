/* The commands of assayd: one file each. A command takes its own arguments (argv[0] is its name) and returns the exit status:
 * 0 done, 1 failed or refused, 2 used wrongly. */
#ifndef ASSAY_CLI_CLI_H
#define ASSAY_CLI_CLI_H

#include "server/settings.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

int cmd_serve(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_close(int argc, char **argv);
int cmd_evaluate(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_partitions(int argc, char **argv);
int cmd_routes(int argc, char **argv);
int cmd_codes(int argc, char **argv);

/* The database that the settings name, for as long as a command runs: ASSAY_DATABASE_URL, or the private one under ASSAY_HOME,
 * which is started for the command when no service runs it. NULL after saying why on stderr. */
struct database;
struct database *database_open(const struct settings *settings);
/* For the service itself: a private database that another process runs is refused, since it would stop with that. */
struct database *database_open_alone(const struct settings *settings);
const char *database_url(const struct database *database);
void database_close(struct database *database);

#endif
