#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage, *does;
} commands[] = {
        {"serve", cmd_serve, "serve [--sandbox]", "serve the API until SIGINT or SIGTERM"},
        {"migrate", cmd_migrate, "migrate", "bring the database's schema up to date"},
        {"key", cmd_key, "key create --role R [--provider ID] [--name TEXT]", "make an API key; it is printed once"},
        {"policy", cmd_policy, "policy publish FILE | policy check FILE", "publish a policy version, or only say what is wrong with it"},
        {"import", cmd_import, "import KIND FILE [--mode per_row] [--complete-through DAY]", "load a file of the platform's feed"},
        {"close", cmd_close, "close --as-of DAY [--dry-run]", "decide every period that ended by that day"},
        {"evaluate", cmd_evaluate, "evaluate [--document] FILE", "evaluate a request, or a decision's document again; prints the answer"},
        {"verify", cmd_verify, "verify [--audit-head POSITION:SHA256]", "replay every decision and check what must hold in the database and its audit log"},
        {"partitions", cmd_partitions, "partitions [--ahead MONTHS] [--detach-before YYYY-MM | --attach-newest]",
         "list the months of day facts; make some ahead, or put old ones away"},
        {"routes", cmd_routes, "routes", "print the route table"},
        {"codes", cmd_codes, "codes", "print the catalogue of problems and faults"},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void help(FILE *out)
{
	fprintf(out, "assayd decides which agencies may call themselves certified.\n\nUsage: assayd COMMAND\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %s\n      %s\n", commands[i].usage, commands[i].does);
	fprintf(out, "\n");
	settings_help(out);
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : EXIT_DONE;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "assayd: there is no command %s; assayd help lists them\n", argv[1]);
	return EXIT_USAGE;
}
