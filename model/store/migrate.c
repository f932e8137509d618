#include "model/store/migrate.h"

#include "base/buf.h"
#include "base/sha256.h"
#include "server/embedded.h"

#include <stdlib.h>
#include <string.h>

static const char ledger[] =
        "set client_min_messages = warning;"
        "create table if not exists schema_migration ("
        " version integer primary key, name text not null, sha256 text not null, applied_at timestamptz not null default clock_timestamp());"
        "create table if not exists schema_functions (one boolean primary key default true check (one), sha256 text not null);";

static const struct statement APPLIED = {
        .name = "migrations_applied", .sql = "select version, name, sha256 from schema_migration order by version", .params = 0};
static const struct statement NOTE_APPLIED = {
        .name = "migration_note", .sql = "insert into schema_migration (version, name, sha256) values ($1, $2, $3)", .params = 3};
static const struct statement FUNCTIONS_SUM = {.name = "functions_sum", .sql = "select sha256 from schema_functions", .params = 0};
static const struct statement NOTE_FUNCTIONS = {
        .name = "functions_note",
        .sql = "insert into schema_functions (sha256) values ($1) on conflict (one) do update set sha256 = excluded.sha256",
        .params = 1};

static bool is_migration(const struct embedded_file *f)
{
	return strncmp(f->path, "migrations/", 11) == 0 && f->path[11] >= '0' && f->path[11] <= '9' && !strchr(f->path + 11, '/');
}

static bool is_function(const struct embedded_file *f) { return strncmp(f->path, "migrations/functions/", 21) == 0; }

static const struct embedded_file *migration_of(long version)
{
	size_t n;
	const struct embedded_file *files = embedded_list(&n);
	for (size_t i = 0; i < n; i++)
		if (is_migration(&files[i]) && strtol(files[i].path + 11, NULL, 10) == version)
			return &files[i];
	return NULL;
}

/* What was applied must be what this binary carries. Returns how many were, or -1. */
static int check_applied(struct db *db, void (*tell)(const char *))
{
	PGresult *res;
	char line[300];
	if (db_run(db, &APPLIED, NULL, &res) != DB_OK)
		return -1;
	int n = PQntuples(res), ok = n;
	for (int i = 0; i < n; i++) {
		char hex[SHA256_HEX];
		const struct embedded_file *file = migration_of(strtol(PQgetvalue(res, i, 0), NULL, 10));
		if (!file) {
			snprintf(line, sizeof line, "The database has migration %s (%s), which this version does not know: it is too old for it.",
			         PQgetvalue(res, i, 0), PQgetvalue(res, i, 1));
			tell(line);
			ok = -1;
			continue;
		}
		sha256_hex(file->data, file->size, hex);
		if (strcmp(hex, PQgetvalue(res, i, 2)) != 0) {
			snprintf(line, sizeof line, "Migration %s was changed after it was applied.", file->path);
			tell(line);
			ok = -1;
		}
	}
	PQclear(res);
	return ok;
}

static const struct statement SETTLED = {.name = "schema_settled", .sql = "select schema_settled($1::boolean)", .params = 1};

struct step {
	const struct embedded_file *file;
	const char *sum;
};

static enum db_status apply(struct db *db, void *arg)
{
	const struct step *step = arg;
	char version[24], hex[SHA256_HEX];
	enum db_status status = db_exec(db, (const char *)step->file->data);
	if (status != DB_OK)
		return status;
	snprintf(version, sizeof version, "%ld", strtol(step->file->path + 11, NULL, 10));
	sha256_hex(step->file->data, step->file->size, hex);
	const char *params[] = {version, step->file->path + 11, hex};
	PGresult *res;
	status = db_run(db, &NOTE_APPLIED, params, &res);
	PQclear(res);
	return status;
}

static bool apply_new(struct db *db, int applied, void (*tell)(const char *))
{
	size_t n;
	const struct embedded_file *files = embedded_list(&n);
	for (size_t i = 0; i < n; i++) {
		char line[300];
		if (!is_migration(&files[i]) || applied-- > 0) /* sorted by path, so the first ones are those applied */
			continue;
		struct step step = {.file = &files[i]};
		snprintf(line, sizeof line, "Applying %s", files[i].path);
		tell(line);
		if (db_transaction(db, "read committed", apply, &step) != DB_OK) {
			snprintf(line, sizeof line, "%s failed: %s", files[i].path, db_message(db));
			tell(line);
			return false;
		}
	}
	return true;
}

static void functions_sum(char hex[SHA256_HEX])
{
	size_t n;
	unsigned char sum[SHA256_BYTES];
	const struct embedded_file *files = embedded_list(&n);
	struct sha256 *h = sha256_new();
	if (!h)
		abort();
	for (size_t i = 0; i < n; i++)
		if (is_function(&files[i]))
			sha256_add(h, files[i].data, files[i].size);
	sha256_end(h, sum);
	hex_of(sum, sizeof sum, hex);
}

static enum db_status create_functions(struct db *db, void *arg)
{
	const struct step *step = arg;
	size_t n;
	const struct embedded_file *files = embedded_list(&n);
	enum db_status status = DB_OK;
	for (size_t i = 0; i < n && status == DB_OK; i++)
		if (is_function(&files[i]))
			status = db_exec(db, (const char *)files[i].data);
	if (status != DB_OK)
		return status;
	PGresult *res;
	status = db_run(db, &NOTE_FUNCTIONS, &step->sum, &res);
	PQclear(res);
	return status;
}

static bool functions_current(struct db *db, const char *sum)
{
	PGresult *res;
	if (db_run(db, &FUNCTIONS_SUM, NULL, &res) != DB_OK)
		return false;
	bool same = PQntuples(res) == 1 && strcmp(PQgetvalue(res, 0, 0), sum) == 0;
	PQclear(res);
	return same;
}

static int known_migrations(void)
{
	size_t n;
	int known = 0;
	const struct embedded_file *files = embedded_list(&n);
	for (size_t i = 0; i < n; i++)
		known += is_migration(&files[i]);
	return known;
}

static bool settle(struct db *db, bool changed, void (*tell)(const char *))
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, &SETTLED, (const char *const[]){changed ? "t" : "f"}, &res);
	PQclear(res);
	if (status != DB_OK)
		tell(db_message(db));
	return status == DB_OK;
}

static bool bring_up_to_date(struct db *db, void (*tell)(const char *))
{
	char sum[SHA256_HEX];
	if (db_exec(db, ledger) != DB_OK) {
		tell(db_message(db));
		return false;
	}
	int applied = check_applied(db, tell);
	if (applied < 0 || !apply_new(db, applied, tell))
		return false;
	functions_sum(sum);
	bool current = applied == known_migrations() && functions_current(db, sum); /* a view has its table's columns */
	struct step step = {.sum = sum};
	if (!current) {
		tell("Creating functions");
		if (db_transaction(db, "read committed", create_functions, &step) != DB_OK) {
			tell(db_message(db));
			return false;
		}
	}
	return settle(db, !current, tell);
}

bool migrate(struct db *db, void (*tell)(const char *line))
{
	if (db_exec(db, "select pg_advisory_lock(4242, 0)") != DB_OK) {
		tell(db_message(db));
		return false;
	}
	bool ok = bring_up_to_date(db, tell);
	return db_exec(db, "select pg_advisory_unlock(4242, 0)") == DB_OK && ok;
}
