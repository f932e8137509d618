/* assayd partitions: the months of day facts, made ahead, listed, and put away. */
#include "model/store/partitions.h"
#include "base/civil.h"
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wanted {
	int ahead; /* -1: not asked for */
	char before[DAY_TEXT];
	bool attach;
};

static bool refused(struct db *db)
{
	fprintf(stderr, "assayd partitions: the database refused: %s\n", db_message(db));
	return false;
}

/* One month a transaction, the oldest first: what is done when it stops stays done. */
static bool detach(struct db *db, const char *before)
{
	for (;;) {
		struct partition_moved one;
		if (partition_detach_oldest(db, before, &one) != DB_OK)
			return refused(db);
		if (!*one.month)
			return true;
		if (*one.because) {
			fprintf(stderr, "assayd partitions: %.7s stays: %s\n", one.month, one.because);
			return false;
		}
		fprintf(stderr, "%.7s is put away, %lld rows\n", one.month, one.rows);
	}
}

static bool attach(struct db *db)
{
	struct partition_moved one;
	if (partition_attach_newest(db, &one) != DB_OK)
		return refused(db);
	if (*one.month)
		fprintf(stderr, "%.7s is back, %lld rows\n", one.month, one.rows);
	else
		fprintf(stderr, "assayd partitions: none was put away\n");
	return *one.month;
}

static bool make_ahead(struct db *db, int months)
{
	long long made;
	if (partitions_ahead(db, months, &made) != DB_OK)
		return refused(db);
	fprintf(stderr, "%lld made\n", made);
	return true;
}

static bool list(struct db *db)
{
	PGresult *res = NULL;
	if (partitions_list(db, &res) != DB_OK)
		return refused(db);
	printf("month\ttable\tstate\trows\tbytes\tkept because\n");
	for (int row = 0; row < PQntuples(res); row++)
		for (int column = 0; column < PQnfields(res); column++)
			printf("%s%c", PQgetvalue(res, row, column), column + 1 < PQnfields(res) ? '\t' : '\n');
	PQclear(res);
	return true;
}

static bool read_arguments(int argc, char **argv, struct wanted *wanted)
{
	*wanted = (struct wanted){.ahead = -1};
	for (int i = 1; i < argc; i++) {
		int32_t first;
		if (strcmp(argv[i], "--attach-newest") == 0) {
			wanted->attach = true;
		} else if (strcmp(argv[i], "--ahead") == 0 && i + 1 < argc) {
			char *end;
			long months = strtol(argv[++i], &end, 10);
			if (!*argv[i] || *end || months < 0 || months > PARTITIONS_AHEAD_MAX)
				return false;
			wanted->ahead = (int)months;
		} else if (strcmp(argv[i], "--detach-before") == 0 && i + 1 < argc && strlen(argv[i + 1]) == 7) {
			snprintf(wanted->before, sizeof wanted->before, "%.7s-01", argv[++i]);
			if (!civil_parse(wanted->before, &first))
				return false;
		} else {
			return false;
		}
	}
	return !wanted->attach || !*wanted->before;
}

int cmd_partitions(int argc, char **argv)
{
	struct settings settings;
	struct wanted wanted;
	if (!read_arguments(argc, argv, &wanted)) {
		fprintf(stderr, "Usage: assayd partitions [--ahead MONTHS] [--detach-before YYYY-MM | --attach-newest]\n");
		return EXIT_USAGE;
	}
	if (!settings_read(&settings, stderr))
		return EXIT_USAGE;
	struct database *database = database_open(&settings);
	struct db *db = database ? db_open(database_url(database)) : NULL;
	bool ok = db != NULL;
	if (ok && wanted.ahead >= 0)
		ok = make_ahead(db, wanted.ahead);
	if (ok && *wanted.before)
		ok = detach(db, wanted.before);
	if (ok && wanted.attach)
		ok = attach(db);
	if (db)
		ok = list(db) && ok;
	db_close(db);
	database_close(database);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}
