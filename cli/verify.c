/* assayd verify: what must hold, checked against everything that is stored. */
#include "cli/cli.h"
#include "model/store/audit.h"
#include "model/store/checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct check {
	const char *what;
	enum db_status (*run)(struct db *db, struct check_report *r);
} checks[] = {
        {"decisions replay to the same bytes", check_decisions},
        {"decisions that supersede others come from confirmed corrections", check_corrections},
        {"decisions that today's facts differ from are marked, and no others", check_marks},
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

static void told(const struct check_report *r, const char *what)
{
	printf("%s  %lld %s", r->wrong ? "WRONG" : "ok   ", (long long)r->looked_at, what);
	if (r->wrong)
		printf(": %lld do not", (long long)r->wrong);
	printf("\n");
	fflush(stdout);
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
		told(&r, checks[i].what);
		good = good && r.wrong == 0;
	}
	return good;
}

/* ---- the audit log ---- */

static void tampered(void *arg, const struct audit_problem *p)
{
	struct check_report *r = arg;
	struct buf text = BUF_INIT(1000);
	audit_problem_text(&text, p, LANG_EN);
	if (r->wrong++ < CHECK_LINES_MAX)
		found(NULL, text.data ? text.data : code_name(p->code));
	buf_free(&text);
}

/* `remembered`: what an earlier verify printed, or NULL. */
static bool check_audit(struct db *db, const struct audit_head *remembered)
{
	struct check_report r = {0};
	struct audit_check c = {.remembered = remembered, .found = tampered, .arg = &r};
	if (audit_check(db, &c) != DB_OK) {
		fprintf(stderr, "assayd verify: the database refused: %s\n", db_message(db));
		return false;
	}
	r.looked_at = c.entries;
	told(&r, "audit entries are as they were sealed");
	if (c.head.position)
		printf("       the audit log is sealed up to %" PRId64 ":%s\n", c.head.position, c.head.sha256);
	if (c.waiting)
		printf("       %" PRId64 " came since and wait to be sealed\n", c.waiting);
	return r.wrong == 0;
}

static int usage(void)
{
	fprintf(stderr, "Usage: assayd verify [--audit-head POSITION:SHA256]\n");
	return EXIT_USAGE;
}

int cmd_verify(int argc, char **argv)
{
	struct settings settings;
	struct audit_head remembered;
	bool remembers = argc == 3 && strcmp(argv[1], "--audit-head") == 0;
	if (argc != 1 && !(remembers && audit_head_read(argv[2], &remembered)))
		return usage();
	if (!settings_read(&settings, stderr))
		return EXIT_USAGE;
	struct database *database = database_open(&settings);
	struct db *db = database ? db_open(database_url(database)) : NULL;
	bool good = db && run_checks(db);
	good = db && check_audit(db, remembers ? &remembered : NULL) && good;
	db_close(db);
	database_close(database);
	return good ? EXIT_DONE : EXIT_REFUSED;
}
