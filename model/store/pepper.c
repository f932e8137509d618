#include "model/store/pepper.h"

#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PEPPER_HEX = 2 * PEPPER_BYTES + 1, LINE_MAX_BYTES = 1000 };

/* $1 pepper (hex) or NULL, $2 its proof (hex): the first start, of whichever instance it is. */
static const struct statement MAKE = {
        .name = "pepper_make",
        .sql = "insert into key_pepper (pepper, proof) values (decode($1, 'hex'), decode($2, 'hex')) on conflict do nothing",
        .params = 2};
static const struct statement READ = {
        .name = "pepper_read", .sql = "select encode(pepper, 'hex'), encode(proof, 'hex') from key_pepper", .params = 0};
static const struct statement REMOVE = {.name = "pepper_remove", .sql = "update key_pepper set pepper = null", .params = 0};

static bool failed(struct db *db, void (*tell)(const char *line))
{
	char line[LINE_MAX_BYTES];
	snprintf(line, sizeof line, "The database did not do it: %s", db_message(db));
	tell(line);
	return false;
}

static bool unhex(const char *text, unsigned char out[PEPPER_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < PEPPER_HEX - 1; i++) {
		const char *digit =
		        text[i] ? strchr(digits, text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 'a' : text[i]) : NULL;
		if (!digit)
			return false;
		out[i / 2] = (unsigned char)(out[i / 2] << 4 | (digit - digits));
	}
	return true;
}

static bool read_file(const char *path, unsigned char pepper[PEPPER_BYTES], void (*tell)(const char *line))
{
	char text[PEPPER_HEX + 3] = "", line[LINE_MAX_BYTES];
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
	size_t digits = strcspn(text, "\r\n"), line_end = strspn(text + digits, "\r\n");
	bool ok = digits == PEPPER_HEX - 1 && digits + line_end == n && unhex(text, pepper);
	snprintf(line, sizeof line, "ASSAY_KEY_PEPPER_FILE, %s: %s", path,
	         file ? "has to have 64 hex digits, and nothing else" : strerror(errno));
	if (file)
		fclose(file);
	explicit_bzero(text, sizeof text);
	if (!ok)
		tell(line);
	return ok;
}

/* What tells this pepper from another without telling what it is. */
static bool proof_of(const unsigned char pepper[PEPPER_BYTES], char hex[SHA256_HEX])
{
	struct key_hasher *hasher = key_hasher_new(pepper);
	if (hasher)
		key_hash_hex(hasher, "the pepper of these keys", hex);
	key_hasher_free(hasher);
	return hasher != NULL;
}

static bool make(struct db *db, const unsigned char pepper[PEPPER_BYTES], bool keep, void (*tell)(const char *line))
{
	char hex[PEPPER_HEX], proof[SHA256_HEX];
	PGresult *res = NULL;
	hex_of(pepper, PEPPER_BYTES, hex);
	const char *params[] = {keep ? hex : NULL, proof};
	bool ok = proof_of(pepper, proof) && db_run(db, &MAKE, params, &res) == DB_OK;
	PQclear(res);
	explicit_bzero(hex, sizeof hex);
	return ok || failed(db, tell);
}

/* The pepper in the database is the one of the file from now on only in the file. */
static bool settle_file(struct db *db, const char *kept, const char *proof, const unsigned char pepper[PEPPER_BYTES],
                        void (*tell)(const char *line))
{
	char ours[SHA256_HEX];
	PGresult *res = NULL;
	if (!proof_of(pepper, ours) || strcmp(ours, proof) != 0) {
		tell("ASSAY_KEY_PEPPER_FILE has not the pepper that the keys of this database were hashed with: none of them "
		     "would work.");
		return false;
	}
	if (!kept)
		return true;
	if (db_run(db, &REMOVE, NULL, &res) != DB_OK)
		return failed(db, tell);
	PQclear(res);
	tell("The pepper of the API keys is in ASSAY_KEY_PEPPER_FILE alone from now on; it was removed from the database.");
	return true;
}

static bool settle(struct db *db, const PGresult *row, bool from_file, unsigned char pepper[PEPPER_BYTES],
                   void (*tell)(const char *line))
{
	const char *kept = PQgetisnull(row, 0, 0) ? NULL : PQgetvalue(row, 0, 0);
	if (from_file)
		return settle_file(db, kept, PQgetvalue(row, 0, 1), pepper, tell);
	if (kept && unhex(kept, pepper))
		return true;
	tell("The pepper of this database's API keys is in a file: name it in ASSAY_KEY_PEPPER_FILE.");
	return false;
}

bool setup_pepper(struct db *db, const char *file, unsigned char pepper[PEPPER_BYTES], void (*tell)(const char *line))
{
	PGresult *row = NULL;
	if (file ? !read_file(file, pepper, tell) : !random_bytes(pepper, PEPPER_BYTES))
		return false;
	if (!make(db, pepper, !file, tell))
		return false;
	if (db_run(db, &READ, NULL, &row) != DB_OK)
		return failed(db, tell);
	bool ok = settle(db, row, file != NULL, pepper, tell);
	PQclear(row);
	return ok;
}
