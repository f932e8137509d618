#include "model/store/setup.h"

#include "base/json_read.h"
#include "base/sha256.h"
#include "model/rules/policy.h"
#include "model/store/keys.h"
#include "server/api_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLICY_BYTES_MAX = 1024 * 1024, LINE_MAX_BYTES = 1000 };

static const char context[] =
        "{\"request_id\": \"command-line\", \"key_id\": \"system\", \"key_name\": \"command line\", \"role\": \"admin\","
        " \"dry_run\": false, \"lang\": \"en\"}";

static const struct statement CLOCK_MODE = {
        .name = "setup_clock",
        .sql = "select clock_fix($1, $2)",
        .params = 2};
static const struct statement POLICY_ANY = {
        .name = "setup_policy_any", .sql = "select exists (select from policy)", .params = 0};
static const struct statement PUBLISH = {.name = "setup_publish",
                                         .sql = "select code, errors from api_write($1, 'policy_publish', "
                                                "jsonb_build_object('document', $2::text, 'sha256', $3::text))",
                                         .params = 3};

static bool failed(struct db *db, void (*tell)(const char *line))
{
	char line[LINE_MAX_BYTES];
	snprintf(line, sizeof line, "The database did not do it: %s", db_message(db));
	tell(line);
	return false;
}

bool setup_clock(struct db *db, bool sandbox, void (*tell)(const char *line))
{
	const char *wanted = sandbox ? "test" : "system";
	PGresult *res;
	if (db_run(db, &CLOCK_MODE, (const char *const[]){context, wanted}, &res) != DB_OK)
		return failed(db, tell);
	bool same = strcmp(PQgetvalue(res, 0, 0), wanted) == 0;
	PQclear(res);
	if (!same)
		tell(sandbox ? "This database is not a sandbox's: a sandbox needs a database (or ASSAY_HOME) of its own."
		             : "This database is a sandbox's: start with --sandbox, or use another database (or ASSAY_HOME).");
	return same;
}

bool setup_has_policies(struct db *db, bool *any)
{
	PGresult *res;
	if (db_run(db, &POLICY_ANY, NULL, &res) != DB_OK)
		return false;
	*any = PQgetvalue(res, 0, 0)[0] == 't';
	PQclear(res);
	return true;
}

/* ---- policies ---- */

static void tell_faults(const struct faults *faults, void (*tell)(const char *line))
{
	for (size_t i = 0; i < faults->len; i++) {
		const struct fault *f = &faults->items[i];
		const char *const args[] = {f->args[0], f->args[1], f->args[2]};
		struct buf line = BUF_INIT(LINE_MAX_BYTES);
		buf_printf(&line, "%s: %s: ", f->pointer[0] ? f->pointer : "/", code_name(f->code));
		code_detail(&line, f->code, LANG_EN, args, FAULT_ARGS);
		if (line.data)
			tell(line.data);
		buf_free(&line);
	}
}

static struct policy *read_policy(const char *text, size_t len, void (*tell)(const char *line))
{
	struct faults faults = {0};
	struct policy *policy = NULL;
	json_t *json = NULL;
	if (json_read(text, len, JSON_DEPTH_MAX, &json, &faults) == JSON_OK)
		policy = policy_read(json, "", &faults);
	tell_faults(&faults, tell);
	faults_free(&faults);
	json_decref(json);
	return policy;
}

static bool publish(struct db *db, const struct policy *policy, void (*tell)(const char *line))
{
	struct buf document = BUF_INIT(POLICY_BYTES_MAX);
	char sum[SHA256_HEX];
	policy_json(&document, policy);
	if (document.failed) {
		buf_free(&document);
		return false;
	}
	sha256_hex(document.data, document.len, sum);
	const char *params[] = {context, document.data, sum};
	PGresult *res;
	enum db_status status = db_run(db, &PUBLISH, params, &res);
	buf_free(&document);
	if (status != DB_OK)
		return failed(db, tell);
	bool refused = !PQgetisnull(res, 0, 0);
	if (refused) {
		char line[LINE_MAX_BYTES];
		snprintf(line, sizeof line, "Refused: %s %s", PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1));
		tell(line);
	}
	PQclear(res);
	return !refused;
}

bool setup_policy(struct db *db, const char *text, size_t len, void (*tell)(const char *line))
{
	struct policy *policy = read_policy(text, len, tell);
	bool ok = policy && publish(db, policy, tell);
	policy_free(policy);
	return ok;
}

bool setup_policy_check(const char *text, size_t len, void (*tell)(const char *line))
{
	struct policy *policy = read_policy(text, len, tell);
	policy_free(policy);
	return policy != NULL;
}

/* ---- keys ---- */

bool setup_key(struct db *db, struct key_hasher *hasher, const char *role, const char *name, const char *provider_id,
               char key[KEY_TEXT_MAX], void (*tell)(const char *line))
{
	struct api_key made;
	char hash[SHA256_HEX];
	if (!api_key_make(&made)) {
		tell("The system has no randomness to make a key of.");
		return false;
	}
	key_hash_hex(hasher, made.text, hash);
	const char *params[] = {role, name, provider_id, hash, made.prefix};
	PGresult *res;
	if (db_run(db, &KEY_ADD, params, &res) != DB_OK)
		return failed(db, tell);
	bool ok = PQntuples(res) == 1 && !PQgetisnull(res, 0, 0);
	PQclear(res);
	if (ok)
		snprintf(key, KEY_TEXT_MAX, "%s", made.text);
	else
		tell("There is no such provider.");
	explicit_bzero(&made, sizeof made);
	return ok;
}

bool setup_key_valid(struct db *db, struct key_hasher *hasher, const char *key)
{
	char hash[SHA256_HEX], keys[SHA256_HEX + 2];
	key_hash_hex(hasher, key, hash);
	snprintf(keys, sizeof keys, "{%s}", hash);
	const char *params[] = {keys};
	PGresult *res;
	if (db_run(db, &AUTH_KEY, params, &res) != DB_OK)
		return false;
	const struct rows row = {.pg = res, .first = 0, .count = PQntuples(res)};
	bool valid = row.count == 1 && (!rows_text(&row, 0, 5) || rows_int(&row, 0, 5) > 0) && !rows_bool(&row, 0, 6);
	PQclear(res);
	return valid;
}
