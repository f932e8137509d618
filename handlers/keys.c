/* API keys: make, list, revoke. */
#include "model/store/keys.h"

#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/instant.h"
#include "handlers/key_seal.h"
#include "handlers/work.h"

#include <stdlib.h>
#include <string.h>

static const struct statement KEY_CREATE = {
        .name = "key_create",
        .sql = "select " API_WRITE_COLUMNS " from api_write($1, 'key_create', $2)",
        .params = 2,
};
enum { BODY_COLUMN = 5, CODE_COLUMN = 1 };

struct key_request {
	const char *bearer; /* the caller's own key */
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

static bool check_key(const json_t *body, struct faults *f)
{
	const char *name = NULL, *role = NULL, *provider_id = NULL, *expires_at = NULL;
	const struct field fields[] = {
	        {.name = "name", .kind = FIELD_STRING, .out = &name, .required = true, .min = 1, .max = 100},
	        {.name = "role", .kind = FIELD_STRING, .out = &role, .required = true},
	        {.name = "provider_id", .kind = FIELD_STRING, .out = &provider_id, .nullable = true, .min = 1, .max = 64},
	        {.name = "expires_at", .kind = FIELD_STRING, .out = &expires_at, .nullable = true},
	};
	(void)!json_fields(body, "", fields, COUNT_OF(fields), f);
	check_role(role, provider_id != NULL, f);
	if (expires_at && !instant_valid(expires_at))
		faults_add(f, "/expires_at", CODE_WRONG_FORMAT, "RFC 3339", NULL);
	return !faults_any(f);
}

/* The answer with the secret in the place of its seal. */
static char *body_opened(const struct key_request *k, const char *body)
{
	char secret[KEY_SECRET_TEXT];
	json_t *json = json_loads(body, 0, NULL);
	const char *seal = json_string_value(json_object_get(json, "key"));
	char *text = NULL;
	if (seal && key_seal_open(k->bearer, seal, secret)) {
		json_object_set_new(json, "key", json_string(secret));
		text = json_dumps(json, JSON_COMPACT);
	}
	json_decref(json);
	return text;
}

static void reply_opened(struct request *rq, const struct key_request *k, const struct rows *sealed)
{
	char *body = body_opened(k, rows_text(sealed, 0, BODY_COLUMN));
	PGresult *copy = PQcopyResult(sealed->pg, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
	if (body && copy && PQsetvalue(copy, 0, BODY_COLUMN, body, (int)strlen(body))) {
		const struct rows opened = {.pg = copy, .first = 0, .count = 1};
		reply_written(rq, &opened);
	} else {
		reply_problem(rq, CODE_INTERNAL, NULL, 0);
	}
	free(body);
	PQclear(copy);
}

static void create(struct worker *w, struct request *rq)
{
	const struct key_request *k = request_state(rq);
	const char *params[] = {k->ctx, k->args};
	struct rows rows;
	if (!work_read(w, rq, &KEY_CREATE, params, &rows))
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

static bool make_secret(const char *bearer, json_t *args)
{
	char seal[KEY_SEAL_TEXT], secret[KEY_SECRET_TEXT], hash[SHA256_HEX];
	if (!key_seal_new(seal) || !key_seal_open(bearer, seal, secret))
		return false;
	sha256_hex(secret, strlen(secret), hash);
	json_object_set_new(args, "sealed", json_string(seal));
	json_object_set_new(args, "hash", json_string(hash));
	json_object_set_new(args, "prefix", json_stringn(secret, KEY_PREFIX_LENGTH));
	return true;
}

void handle_key_create(struct request *rq)
{
	FAULTS_HERE(f);
	if (!check_key(request_body(rq), &f)) {
		reply_faults(rq, &f);
		return;
	}
	struct key_request *k = request_alloc(rq, sizeof *k);
	const char *header = request_header(rq, "Authorization"); /* it is there: the caller was let in by it */
	k->bearer = request_printf(rq, "%s", strrchr(header, ' ') + 1);
	json_t *args = json_copy(request_body(rq));
	bool made = make_secret(k->bearer, args);
	k->args = dumped(rq, args);
	k->ctx = dumped(rq, request_context(rq));
	request_set_state(rq, k);
	if (made && k->args && k->ctx)
		request_work(rq, create);
	else
		reply_problem(rq, CODE_INTERNAL, NULL, 0);
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
