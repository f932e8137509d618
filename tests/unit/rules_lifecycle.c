#include "model/rules/lifecycle.h"
#include "tests/unit/rules_support.h"

/* The migration's text from `start` up to the next ';'. */
static char *statement_of(const char *path, const char *start)
{
	char full[512];
	static char sql[1 << 20];

	(void)snprintf(full, sizeof full, "%s/%s", SOURCE_DIR, path);
	FILE *file = fopen(full, "r");
	ck_assert_msg(file != NULL, "%s", full);
	size_t n = fread(sql, 1, sizeof sql - 1, file);
	ck_assert_int_eq(fclose(file), 0);
	sql[n] = '\0';
	char *from = strstr(sql, start);
	ck_assert_msg(from != NULL, "%s is not in %s", start, path);
	from[strcspn(from, ";")] = '\0';
	return from + strlen(start);
}

/* The rows of an insert: each is one of ours, and there are as many. */
static void ck_same_moves(const char *path, const char *insert, bool (*allowed)(enum provider_status, enum provider_status), size_t count)
{
	char *sql = statement_of(path, insert);
	size_t rows = 0;

	for (char *at = strchr(sql, '('); at; at = strchr(at + 1, '(')) {
		char from[32];
		char to[32];
		enum provider_status a;
		enum provider_status b;

		ck_assert_int_eq(sscanf(at, "('%31[a-z_]', '%31[a-z_]')", from, to), 2);
		ck_assert(provider_status_by_name(from, &a) && provider_status_by_name(to, &b));
		ck_assert_msg(allowed(a, b), "%s to %s", from, to);
		rows++;
	}
	ck_assert_uint_eq(rows, count);
}

START_TEST(the_databases_tables_are_the_same)
{
	ck_same_moves("migrations/0001-foundation.sql", "insert into lifecycle_transition values", lifecycle_allows, lifecycle_transition_count);
	ck_same_moves("migrations/0005-corrections.sql", "insert into lifecycle_correction values", lifecycle_corrects,
	              lifecycle_correction_count);
}
END_TEST

/* What only a correction makes is no move that anything else makes too. */
START_TEST(corrections_are_moves_of_their_own)
{
	for (size_t i = 0; i < lifecycle_correction_count; i++)
		ck_assert(!lifecycle_allows(lifecycle_corrections[i].from, lifecycle_corrections[i].to));
	ck_assert(lifecycle_corrects(PROVIDER_REVOKED, PROVIDER_CERTIFIED));
	ck_assert(!lifecycle_corrects(PROVIDER_EXITED, PROVIDER_CERTIFIED));
	ck_assert(!lifecycle_corrects(PROVIDER_REGISTERED, PROVIDER_CERTIFIED));
}
END_TEST

START_TEST(the_life_of_a_provider)
{
	static const enum provider_status may_apply[] = {PROVIDER_REGISTERED,   PROVIDER_REJECTED, PROVIDER_WITHDRAWN,
	                                                 PROVIDER_TRIAL_FAILED, PROVIDER_REVOKED,  PROVIDER_EXITED};
	size_t n = 0;

	for (int s = 0; s < PROVIDER_STATUSES; s++)
		n += lifecycle_may_apply((enum provider_status)s);
	ck_assert_uint_eq(n, COUNT(may_apply));
	for (size_t i = 0; i < COUNT(may_apply); i++)
		ck_assert(lifecycle_may_apply(may_apply[i]));
	ck_assert(lifecycle_allows(PROVIDER_APPLIED, PROVIDER_ADMITTED));
	ck_assert(lifecycle_allows(PROVIDER_ADMITTED, PROVIDER_TRIAL));
	ck_assert(!lifecycle_allows(PROVIDER_APPLIED, PROVIDER_TRIAL));
	ck_assert(!lifecycle_allows(PROVIDER_REGISTERED, PROVIDER_CERTIFIED));
	ck_assert(!lifecycle_allows(PROVIDER_REVOKED, PROVIDER_CERTIFIED));
	ck_assert(!lifecycle_allows(PROVIDER_CERTIFIED, PROVIDER_CERTIFIED));
}
END_TEST

START_TEST(names_read_back)
{
	for (int s = 0; s < PROVIDER_STATUSES; s++) {
		enum provider_status read = PROVIDER_STATUSES;

		ck_assert(provider_status_by_name(provider_status_name((enum provider_status)s), &read));
		ck_assert_int_eq((int)read, s);
	}
	for (int s = 0; s < PERIOD_STATUSES; s++) {
		enum period_status read = PERIOD_STATUSES;

		ck_assert(period_status_by_name(period_status_name((enum period_status)s), &read));
		ck_assert_int_eq((int)read, s);
	}
	enum provider_status none = PROVIDER_STATUSES;
	ck_assert(!provider_status_by_name("Certified", &none) && none == PROVIDER_STATUSES);
	enum period_status no_period = PERIOD_STATUSES;
	ck_assert(!period_status_by_name("", &no_period) && no_period == PERIOD_STATUSES);
}
END_TEST

CHECK_MAIN("rules_lifecycle", the_databases_tables_are_the_same, corrections_are_moves_of_their_own, the_life_of_a_provider, names_read_back)
