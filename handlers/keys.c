/* API keys: make, list, rotate, revoke. */
#include "model/store/keys.h"

#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/instant.h"
#include "handlers/key_seal.h"
#include "handlers/work.h"
#include "server/api_key.h"

#include <stdlib.h>
#include <string.h>

static const struct statement KEY_CREATE = {
        .name = "key_create",
        .sql = "select " API_WRITE_COLUMNS " from api_write($1, 'key_create', $2)",
        .params = 2,
};
static const struct statement KEY_ROTATE = {
        .name = "key_rotate",
        .sql = "select " API_WRITE_COLUMNS " from api_write($1, 'key_rotate', $2)",
        .params = 2,
};
enum { BODY_COLUMN = 5, CODE_COLUMN = 1 };
enum { RATE_MAX = 10000, OVERLAP_MAX_SECONDS = 30 * 24 * 3600, OVERLAP_SECONDS = 24 * 3600 };

struct key_request {
	const struct statement *write;
	const char *bearer; /* the caller's own key or token */
	char *ctx, *args; /* malloc'ed JSON; freed with the request */
};

static void check_role(const char *role, bool has_provider, struct faults *f)
{
	static const char *const roles[] = {"admin", "operator", "feed", "partner", "auditor"};
	bool known = false;
	for (size_t i = 0; role && i < COUNT_OF(roles); i++)
		known = known || strcmp(role, roles[i]) == 0;
	if (role && !known)
		faults_add(f, "/role", CODE_INVALID_VALUE, role, "admin, operator, feed, partner, auditor", NULL);
	else if (role && has_provider && strcmp(role, "partner") != 0)
		faults_add(f, "/provider_id", CODE_UNKNOWN_MEMBER, NULL); /* only a partner's key is bound to a provider */
}

static void check_expiry(const char *expires_at, struct faults *f)
{
	if (expires_at && !instant_valid(expires_at))
		faults_add(f, "/expires_at", CODE_WRONG_FORMAT, "RFC 3339", NULL);
}

static bool check_key(const json_t *body, struct faults *f)
{
	const char *name = NULL, *role = NULL, *provider_id = NULL, *expires_at = NULL;
	int64_t rate;
	const struct field fields[] = {
	        {.name = "name", .kind = FIELD_STRING, .out = &name, .required = true, .min = 1, .max = 100},
	        {.name = "role", .kind = FIELD_STRING, .out = &role, .required = true},
	        {.name = "provider_id", .kind = FIELD_STRING, .out = &provider_id, .nullable = true, .min = 1, .max = 64},
	        {.name = "expires_at", .kind = FIELD_STRING, .out = &expires_at, .nullable = true},
	        {.name = "requests_per_second", .kind = FIELD_INT, .out = &rate, .nullable = true, .min = 1, .max = RATE_MAX},
	};
	(void)!json_fields(body, "", fields, COUNT_OF(fields), f);
	check_role(role, provider_id != NULL, f);
	check_expiry(expires_at, f);
	return !faults_any(f);
}

static bool check_rotation(const json_t *body, struct faults *f)
{
	const char *expires_at = NULL;
	int64_t overlap;
	const struct field fields[] = {
	        {.name = "overlap_seconds", .kind = FIELD_INT, .out = &overlap, .min = 0, .max = OVERLAP_MAX_SECONDS},
	        {.name = "expires_at", .kind = FIELD_STRING, .out = &expires_at},
	};
	(void)!json_fields(body, "", fields, COUNT_OF(fields), f);
	check_expiry(expires_at, f);
	return !faults_any(f);
}

/* The answer with the secret in the place of its seal. */
static char *body_opened(json_t *body, const char *secret)
{
	json_object_set_new(body, "key", json_string(secret));
	return json_dumps(body, JSON_COMPACT);
}

static void reply_with_secret(struct request *rq, json_t *body, const char *secret, const struct rows *sealed)
{
	char *text = body_opened(body, secret);
	PGresult *copy = PQcopyResult(sealed->pg, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
	if (text && copy && PQsetvalue(copy, 0, BODY_COLUMN, text, (int)strlen(text))) {
		const struct rows opened = {.pg = copy, .first = 0, .count = 1};
		reply_written(rq, &opened);
	} else {
		reply_problem(rq, CODE_INTERNAL, NULL, 0);
	}
	free(text);
	PQclear(copy);
}

/* Replayed to a caller who has another key by now (it was rotated), or another token: the secret cannot be told any more. */
static void reply_unopened(struct request *rq, const json_t *body)
{
	const char *key_id = json_string_value(json_object_get(body, "key_id"));
	reply_problem(rq, CODE_SECRET_NOT_REPEATABLE, &key_id, 1);
}

static void reply_opened(struct request *rq, const struct key_request *k, const struct rows *sealed)
{
	char secret[KEY_SECRET_TEXT];
	json_t *body = json_loads(rows_text(sealed, 0, BODY_COLUMN), 0, NULL);
	const char *seal = json_string_value(json_object_get(body, "key"));
	if (!seal)
		reply_problem(rq, CODE_INTERNAL, NULL, 0);
	else if (key_seal_open(k->bearer, seal, secret))
		reply_with_secret(rq, body, secret, sealed);
	else
		reply_unopened(rq, body);
	explicit_bzero(secret, sizeof secret);
	json_decref(body);
}

static void write_key(struct worker *w, struct request *rq)
{
	const struct key_request *k = request_state(rq);
	const char *params[] = {k->ctx, k->args};
	struct rows rows;
	if (!work_read(w, rq, k->write, params, &rows))
		return;
	if (rows_text(&rows, 0, CODE_COLUMN))
		reply_written(rq, &rows);
	else
		reply_opened(rq, k, &rows);
}

static char *dumped(struct request *rq, json_t *json /* taken */)
{
	char *text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (text)
		request_on_end(rq, free, text);
	return text;
}

static bool make_secret(const struct request *rq, const char *bearer, json_t *args)
{
	char seal[KEY_SEAL_TEXT], secret[KEY_SECRET_TEXT], hash[SHA256_HEX], prefix[API_KEY_PREFIX];
	if (!key_seal_new(bearer, seal) || !key_seal_open(bearer, seal, secret))
		return false;
	request_key_hash(rq, secret, hash);
	api_key_prefix(secret, prefix);
	explicit_bzero(secret, sizeof secret);
	json_object_set_new(args, "sealed", json_string(seal));
	json_object_set_new(args, "hash", json_string(hash));
	json_object_set_new(args, "prefix", json_string(prefix));
	return true;
}

/* Takes args, to which the secret's hash and seal are added. */
static void submit(struct request *rq, const struct statement *write, json_t *args)
{
	struct key_request *k = request_alloc(rq, sizeof *k);
	const char *header = request_header(rq, "Authorization"); /* it is there: the caller was let in by it */
	k->write = write;
	k->bearer = request_printf(rq, "%s", strrchr(header, ' ') + 1);
	bool made = make_secret(rq, k->bearer, args);
	k->args = dumped(rq, args);
	k->ctx = dumped(rq, request_context(rq));
	request_set_state(rq, k);
	if (made && k->args && k->ctx)
		request_work(rq, write_key);
	else
		reply_problem(rq, CODE_INTERNAL, NULL, 0);
}

void handle_key_create(struct request *rq)
{
	FAULTS_HERE(f);
	if (check_key(request_body(rq), &f))
		submit(rq, &KEY_CREATE, json_copy(request_body(rq)));
	else
		reply_faults(rq, &f);
}

void handle_key_rotate(struct request *rq)
{
	FAULTS_HERE(f);
	if (!check_rotation(request_body(rq), &f)) {
		reply_faults(rq, &f);
		return;
	}
	json_t *args = args_with_id(rq, "key_id");
	if (!json_object_get(args, "overlap_seconds"))
		json_object_set_new(args, "overlap_seconds", json_integer(OVERLAP_SECONDS));
	submit(rq, &KEY_ROTATE, args);
}

static void key_reply(struct request *rq, const struct rows *rows)
{
	const char *body = rows->count ? rows_text(rows, 0, 1) : NULL;
	if (body)
		reply_json_text(rq, 200, body, strlen(body));
	else
		reply_not_found(rq);
}

void handle_key_get(struct request *rq)
{
	request_read_key(rq, &KEY_BY_ID, request_param(rq, "id"), key_reply);
}

void handle_key_list(struct request *rq)
{
	FAULTS_HERE(f);
	list_of_all(rq, &KEY_LIST, NULL, 0, &f);
}

void handle_key_revoke(struct request *rq)
{
	request_write(rq, "key_revoke", json_pack("{s:s}", "key_id", request_param(rq, "id")));
}
