#include "model/store/partitions.h"

#include <stdio.h>
#include <stdlib.h>

static const struct statement AHEAD = {.name = "partitions_ahead", .sql = "select store_day_ahead($1::integer)", .params = 1};
static const struct statement LIST = {
        .name = "partitions_list",
        .sql = "select to_char(month, 'YYYY-MM'), name, case when attached then 'attached' else 'detached' end, n, bytes,"
               " coalesce(because, '') from store_day_partitions()",
};
static const struct statement DETACH = {
        .name = "partitions_detach", .sql = "select month, n, because from store_day_detach_oldest($1::date)", .params = 1};
static const struct statement ATTACH = {.name = "partitions_attach", .sql = "select month, n from store_day_attach_newest()"};

/* Whoever reads store_day waits behind who waits to take a month away: so that one does not wait long. */
static const char wait_briefly[] = "set lock_timeout = '3s'";

enum db_status partitions_ahead(struct db *db, int months, long long *made)
{
	char text[16];
	PGresult *res = NULL;
	snprintf(text, sizeof text, "%d", months);
	enum db_status status = db_run(db, &AHEAD, (const char *const[]){text}, &res);
	*made = status == DB_OK ? strtoll(PQgetvalue(res, 0, 0), NULL, 10) : 0;
	PQclear(res);
	return status;
}

static enum db_status move(struct db *db, const struct statement *st, const char *const *params, struct partition_moved *out)
{
	PGresult *res = NULL;
	*out = (struct partition_moved){0};
	enum db_status status = db_exec(db, wait_briefly);
	if (status == DB_OK)
		status = db_run(db, st, params, &res);
	if (status == DB_OK && PQntuples(res) == 1) {
		snprintf(out->month, sizeof out->month, "%s", PQgetvalue(res, 0, 0));
		out->rows = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
		snprintf(out->because, sizeof out->because, "%s", PQnfields(res) > 2 ? PQgetvalue(res, 0, 2) : "");
	}
	PQclear(res);
	return status;
}

enum db_status partition_detach_oldest(struct db *db, const char *before, struct partition_moved *out)
{
	return move(db, &DETACH, (const char *const[]){before}, out);
}

enum db_status partition_attach_newest(struct db *db, struct partition_moved *out)
{
	return move(db, &ATTACH, NULL, out);
}

enum db_status partitions_list(struct db *db, PGresult **out)
{
	return db_run(db, &LIST, NULL, out);
}
