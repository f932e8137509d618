/* Who calls, what they may, and how often.
 *
 * An API key is looked up by its hash; a sign-on token is checked by its signature. Either way what was found is kept in a small
 * cache of the loop, by the hash of what was sent: a busy caller costs one look-up a second (AUTH_TTL_MS), so that a key which
 * was revoked stops working within that time. What is not found is never kept. */
#include "server/api_key.h"
#include "server/jwt.h"
#include "server/log.h"
#include "server/loop.h"
#include "server/rate_limit.h"
#include "server/request_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	AUTH_TTL_MS = 1000,
	TOKEN_TTL_MS = 60 * 1000, /* nobody can revoke a token; so only for its checking not to be for ever */
	AUTH_SETS = 256,
	AUTH_WAYS = 4,
	CREDENTIAL_MIN = 20,
	KEY_ID_MAX = JWT_ACTOR_MAX,
	NAME_MAX_BYTES = JWT_NAME_MAX,
	PROVIDER_ID_MAX = JWT_PROVIDER_MAX
};

struct known {
	unsigned char hash[SHA256_BYTES];
	int64_t until_ms; /* 0: empty */
	uint64_t bucket; /* of the actor */
	unsigned per_second; /* 0: no limit */
	enum role role;
	char key_id[KEY_ID_MAX], actor_id[KEY_ID_MAX], name[NAME_MAX_BYTES], provider_id[PROVIDER_ID_MAX];
};

struct key_used { /* a note that a key was used, on its way; nobody waits for it */
	struct lane_op op;
	const char *params[1];
	char key_id[KEY_ID_MAX];
};

struct auth_cache {
	struct auth_config config;
	struct key_hasher *hasher;
	struct known sets[AUTH_SETS][AUTH_WAYS];
};

struct auth_cache *auth_cache_new(const struct auth_config *config)
{
	struct auth_cache *cache = calloc(1, sizeof *cache);
	if (!cache)
		return NULL;
	cache->config = *config;
	cache->hasher = key_hasher_new(config->pepper);
	if (cache->hasher)
		return cache;
	free(cache);
	return NULL;
}

void auth_cache_free(struct auth_cache *cache)
{
	if (!cache)
		return;
	key_hasher_free(cache->hasher);
	free(cache);
}

static struct known *set_of(struct auth_cache *cache, const unsigned char hash[SHA256_BYTES])
{
	return cache->sets[hash[0]];
}

static const struct known *find(struct auth_cache *cache, const unsigned char hash[SHA256_BYTES])
{
	const struct known *set = set_of(cache, hash);
	int64_t now = now_ms();
	for (int i = 0; i < AUTH_WAYS; i++)
		if (set[i].until_ms > now && memcmp(set[i].hash, hash, SHA256_BYTES) == 0)
			return &set[i];
	return NULL;
}

/* An empty place in the cache: its own, else the one that would have been empty first. */
static struct known *place(struct auth_cache *cache, const unsigned char hash[SHA256_BYTES])
{
	struct known *set = set_of(cache, hash), *found = set;
	for (int i = 0; i < AUTH_WAYS; i++) {
		if (memcmp(set[i].hash, hash, SHA256_BYTES) == 0) {
			found = &set[i];
			break;
		}
		if (set[i].until_ms < found->until_ms)
			found = &set[i];
	}
	memcpy(found->hash, hash, SHA256_BYTES);
	found->until_ms = 0;
	return found;
}

/* ---- what the caller may ---- */

static const char *role_name(enum role role)
{
	switch (role) {
	case ROLE_ADMIN:
		return "admin";
	case ROLE_OPERATOR:
		return "operator";
	case ROLE_FEED:
		return "feed";
	case ROLE_PARTNER:
		return "partner";
	case ROLE_AUDITOR:
		return "auditor";
	}
	return "";
}

static enum role role_by_name(const char *name)
{
	static const enum role roles[] = {ROLE_ADMIN, ROLE_OPERATOR, ROLE_FEED, ROLE_PARTNER, ROLE_AUDITOR};
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(role_name(roles[i]), name) == 0)
			return roles[i];
	return 0;
}

/* "operator, partner": who may, for the answer to one who may not. admin always may. */
static char *role_list(struct request *rq, unsigned roles)
{
	struct buf out = BUF_INIT(200);
	buf_puts(&out, "admin");
	for (unsigned role = ROLE_OPERATOR; role <= ROLE_AUDITOR; role <<= 1)
		if (roles & role)
			buf_printf(&out, ", %s", role_name((enum role)role));
	char *list = request_copy(rq, out.data ? out.data : "", out.len);
	buf_free(&out);
	return list;
}

static bool allowed(struct request *rq)
{
	unsigned roles = rq->operation->roles;
	if (rq->caller.role == ROLE_ADMIN || (roles & rq->caller.role))
		return true;
	const char *args[] = {role_name(rq->caller.role), role_list(rq, roles)};
	reply_problem(rq, CODE_FORBIDDEN, args, 2);
	return false;
}

static bool in_time(struct request *rq, const struct known *known)
{
	if (!known->per_second)
		return true;
	int64_t wait_us = rate_limits_take(loop_auth(rq->loop)->config.limits, known->bucket, known->per_second, now_us());
	if (!wait_us)
		return true;
	loop_counts(rq->loop)->rate_limited++;
	reply_header(rq, "Retry-After", request_printf(rq, "%lld", (long long)(wait_us + 999999) / 1000000));
	reply_problem(rq, CODE_TOO_MANY_REQUESTS, NULL, 0);
	return false;
}

static bool let_in(struct request *rq, const struct known *known)
{
	rq->caller = (struct caller){
	        .key_id = request_copy(rq, known->key_id, strlen(known->key_id)),
	        .name = request_copy(rq, known->name, strlen(known->name)),
	        .role = known->role,
	        .provider_id = known->provider_id[0] ? request_copy(rq, known->provider_id, strlen(known->provider_id)) : NULL,
	};
	rq->actor = known->bucket;
	rq->caller.actor_id = strcmp(known->actor_id, known->key_id) == 0
	                              ? rq->caller.key_id
	                              : request_copy(rq, known->actor_id, strlen(known->actor_id));
	return in_time(rq, known) && allowed(rq);
}

static uint64_t bucket_id(const char *actor_id)
{
	unsigned char hash[SHA256_BYTES];
	uint64_t id;
	sha256_of(actor_id, strlen(actor_id), hash);
	memcpy(&id, hash, sizeof id);
	return id;
}

static bool refuse(struct request *rq)
{
	reply_problem(rq, CODE_UNAUTHENTICATED, NULL, 0);
	return false;
}

/* ---- by API key ---- */

static void note_done(struct lane_op *op, enum op_end end, const struct rows *rows)
{
	(void)end;
	(void)rows;
	free(op);
}

static void note_use(struct request *rq, const struct auth_cache *cache, const char *key_id)
{
	struct key_used *note = calloc(1, sizeof *note);
	if (!note)
		return;
	snprintf(note->key_id, sizeof note->key_id, "%s", key_id);
	note->params[0] = note->key_id;
	note->op = (struct lane_op){.st = cache->config.key_used, .params = note->params, .done = note_done};
	if (write_lanes_submit(loop_writes(rq->loop), &note->op) != OP_OK)
		free(note); /* the next use tells it */
}

static void set_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

/* Columns: struct auth_config. NULL: it is no valid key. */
static const struct known *remember_key(struct request *rq, struct auth_cache *cache, const struct rows *rows)
{
	bool revoked = rows_bool(rows, 0, 6);
	long long left_ms = rows_text(rows, 0, 5) ? rows_int(rows, 0, 5) : AUTH_TTL_MS;
	if (revoked || left_ms <= 0)
		return NULL;
	struct known *known = place(cache, rq->key_hash);
	set_text(known->key_id, sizeof known->key_id, rows_text(rows, 0, 1));
	set_text(known->name, sizeof known->name, rows_text(rows, 0, 2));
	set_text(known->provider_id, sizeof known->provider_id, rows_text(rows, 0, 4));
	set_text(known->actor_id, sizeof known->actor_id, rows_text(rows, 0, 8));
	known->role = role_by_name(rows_text(rows, 0, 3));
	known->per_second = (unsigned)rows_int(rows, 0, 9);
	known->bucket = bucket_id(known->actor_id);
	if (known->role != ROLE_PARTNER ||
	    known->provider_id[0]) /* else it gets the provider that it registers, and is to see it at once */
		known->until_ms = now_ms() + (left_ms < AUTH_TTL_MS ? left_ms : AUTH_TTL_MS);
	if (!rows_bool(rows, 0, 7))
		note_use(rq, cache, known->key_id);
	return known;
}

static void looked_up(struct request *rq, const struct rows *rows)
{
	const struct known *known = rows->count ? remember_key(rq, loop_auth(rq->loop), rows) : NULL;
	if (known)
		let_in(rq, known);
	else
		refuse(rq);
	http_wake(rq);
}

static enum auth look_up(struct request *rq, struct auth_cache *cache)
{
	hex_of(rq->key_hash, SHA256_BYTES, rq->key_hex);
	request_read_key(rq, cache->config.by_hash, rq->key_hex, looked_up);
	return rq->reply.staged ? AUTH_REFUSED : AUTH_WAIT;
}

/* ---- by sign-on token ---- */

static const char *check_token(struct auth_cache *cache, const char *token, time_t now, struct jwt_claims *claims,
                               enum role *role)
{
	const char *why = jwt_check(cache->config.jwt, token, now, claims);
	if (why)
		return why;
	*role = role_by_name(claims->role);
	if (!*role)
		return "its role is none";
	if (*role == ROLE_PARTNER && !claims->provider_id[0])
		return "a partner's has to name the provider";
	if (*role != ROLE_PARTNER)
		claims->provider_id[0] = '\0';
	return NULL;
}

static const struct known *remember_token(struct request *rq, struct auth_cache *cache, const char *token)
{
	struct jwt_claims claims;
	enum role role = 0;
	time_t now = time(NULL);
	const char *why = check_token(cache, token, now, &claims, &role);
	if (why) {
		log_line(LOG_DEBUG, "a sign-on token was refused", "why", why, "request_id", rq->id, NULL);
		return NULL;
	}
	struct known *known = place(cache, rq->key_hash);
	int64_t left_ms = (claims.until_s - now) * 1000;
	set_text(known->key_id, sizeof known->key_id, claims.actor_id);
	set_text(known->actor_id, sizeof known->actor_id, claims.actor_id);
	set_text(known->name, sizeof known->name, claims.name);
	set_text(known->provider_id, sizeof known->provider_id, claims.provider_id);
	known->role = role;
	known->per_second = cache->config.jwt_per_second;
	known->bucket = bucket_id(known->actor_id);
	known->until_ms = now_ms() + (left_ms < TOKEN_TTL_MS ? left_ms : TOKEN_TTL_MS);
	return known;
}

/* ---- */

static const char *bearer(const struct request *rq)
{
	const char *header = request_header(rq, "Authorization");
	if (!header || strncasecmp(header, "Bearer ", 7) != 0)
		return NULL;
	const char *credential = header + 7 + strspn(header + 7, " ");
	size_t len = strlen(credential);
	return len >= CREDENTIAL_MIN && len <= JWT_MAX ? credential : NULL;
}

enum auth auth_begin(struct request *rq, struct auth_cache *cache)
{
	if (rq->operation->roles == ROLES_PUBLIC)
		return AUTH_OK;
	const char *credential = bearer(rq);
	if (!credential)
		return refuse(rq), AUTH_REFUSED;
	key_hash(cache->hasher, credential, strlen(credential), rq->key_hash);
	const struct known *known = find(cache, rq->key_hash);
	bool token = !known && cache->config.jwt && strncmp(credential, "ask_", 4) != 0;
	if (token && !(known = remember_token(rq, cache, credential)))
		return refuse(rq), AUTH_REFUSED;
	if (!known)
		return look_up(rq, cache);
	return let_in(rq, known) ? AUTH_OK : AUTH_REFUSED;
}

void request_key_hash(const struct request *rq, const char *key, char hex[SHA256_HEX])
{
	key_hash_hex(loop_auth(rq->loop)->hasher, key, hex);
}
