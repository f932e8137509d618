/* assayd verify: what must hold, checked against everything that is stored. */
#include "cli/cli.h"
#include "model/store/checks.h"

#include <stdio.h>

static const struct check {
	const char *what;
	enum db_status (*run)(struct db *db, struct check_report *r);
} checks[] = {
        {"decisions replay from their evidence to the same bytes", check_decisions},
        {"policies have the hash of their document", check_policies},
        {"ledger entries balance, one after the other, and never below zero", check_ledger},
        {"deposit balances are the sums of their entries", check_deposits},
        {"refunds hold and pay what the ledger says", check_refunds},
        {"deductions are reversed as the ledger says", check_deductions},
        {"providers have the status that their history ends with", check_statuses},
        {"moves of a provider's life are those of the rules", check_lifecycle},
        {"store-months are the sums of their days", check_roll_up},
};

static void found(void *arg, const char *what)
{
	(void)arg;
	printf("wrong  %s\n", what);
}

static bool run_checks(struct db *db)
{
	bool good = true;
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		struct check_report r = {.found = found};
		if (checks[i].run(db, &r) != DB_OK) {
			fprintf(stderr, "assayd verify: the database refused: %s\n", db_message(db));
			return false;
		}
		printf("%s  %lld %s", r.wrong ? "WRONG" : "ok   ", (long long)r.looked_at, checks[i].what);
		if (r.wrong)
			printf(": %lld do not", (long long)r.wrong);
		printf("\n");
		fflush(stdout);
		good = good && r.wrong == 0;
	}
	return good;
}

int cmd_verify(int argc, char **argv)
{
	struct settings settings;
	(void)argv;
	if (argc != 1) {
		fprintf(stderr, "Usage: assayd verify\n");
		return EXIT_USAGE;
	}
	if (!settings_read(&settings, stderr))
		return EXIT_USAGE;
	struct database *database = database_open(&settings);
	struct db *db = database ? db_open(database_url(database)) : NULL;
	bool good = db && run_checks(db);
	db_close(db);
	database_close(database);
	return good ? EXIT_DONE : EXIT_REFUSED;
}
