/* Who calls. A key is looked up by its hash, through a small cache of AUTH_TTL_MS a loop: so a revoked or expired key stops
 * working within that time, and a busy caller costs one look-up a second. What is not found is never cached. */
#include "server/log.h"
#include "server/request_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { AUTH_TTL_MS = 1000, AUTH_SLOTS = 1024, AUTH_TEXT_MAX = 256, KEY_MAX = 200 };

struct known_key {
	unsigned char hash[SHA256_BYTES];
	int64_t until_ms; /* 0: empty */
	enum role role;
	char key_id[AUTH_TEXT_MAX], name[AUTH_TEXT_MAX * 4], provider_id[AUTH_TEXT_MAX];
};

struct key_used { /* a note that a key was used today, on its way; nobody waits for it */
	struct lane_op op;
	const char *params[1];
	char key_id[AUTH_TEXT_MAX];
};

struct auth_cache {
	const struct auth_statements *statements;
	struct known_key slots[AUTH_SLOTS];
};

struct auth_cache *auth_cache_new(const struct auth_statements *statements)
{
	struct auth_cache *cache = calloc(1, sizeof *cache);
	if (cache)
		cache->statements = statements;
	return cache;
}

void auth_cache_free(struct auth_cache *cache) { free(cache); }

static struct known_key *slot_of(struct auth_cache *cache, const unsigned char hash[SHA256_BYTES])
{
	return &cache->slots[((unsigned)hash[0] << 8 | hash[1]) % AUTH_SLOTS];
}

static const char *bearer(const struct request *rq)
{
	const char *header = request_header(rq, "Authorization");
	if (!header || strncasecmp(header, "Bearer ", 7) != 0)
		return NULL;
	const char *key = header + 7 + strspn(header + 7, " ");
	size_t len = strlen(key);
	return len >= 20 && len <= KEY_MAX ? key : NULL;
}

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

static bool take_known(struct request *rq, const struct known_key *known)
{
	rq->caller = (struct caller){
	        .key_id = request_copy(rq, known->key_id, strlen(known->key_id)),
	        .name = request_copy(rq, known->name, strlen(known->name)),
	        .role = known->role,
	        .provider_id = known->provider_id[0] ? request_copy(rq, known->provider_id, strlen(known->provider_id)) : NULL,
	};
	return allowed(rq);
}

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
	note->op = (struct lane_op){.st = cache->statements->key_used, .params = note->params, .done = note_done};
	if (write_lanes_submit(loop_writes(rq->loop), &note->op) != OP_OK)
		free(note); /* the next use tells it */
}

static bool remember(struct request *rq, struct auth_cache *cache, const struct rows *rows)
{
	const char *provider_id = rows_text(rows, 0, 4);
	if (rows_bool(rows, 0, 5) || rows_bool(rows, 0, 6)) /* expired, revoked */
		return false;
	struct known_key *known = slot_of(cache, rq->key_hash);
	memcpy(known->hash, rq->key_hash, SHA256_BYTES);
	known->until_ms = now_ms() + AUTH_TTL_MS;
	known->role = role_by_name(rows_text(rows, 0, 3));
	snprintf(known->key_id, sizeof known->key_id, "%s", rows_text(rows, 0, 1));
	snprintf(known->name, sizeof known->name, "%s", rows_text(rows, 0, 2));
	snprintf(known->provider_id, sizeof known->provider_id, "%s", provider_id ? provider_id : "");
	if (known->role == ROLE_PARTNER && !provider_id)
		known->until_ms = 0; /* it gets the provider that it registers, and is to see it at once */
	if (!rows_bool(rows, 0, 7))
		note_use(rq, cache, known->key_id);
	return true;
}

static void looked_up(struct request *rq, const struct rows *rows)
{
	struct auth_cache *cache = loop_auth(rq->loop);
	if (rows->count == 0 || !remember(rq, cache, rows))
		reply_problem(rq, CODE_UNAUTHENTICATED, NULL, 0);
	else
		take_known(rq, slot_of(cache, rq->key_hash));
	http_wake(rq);
}

enum auth auth_begin(struct request *rq, struct auth_cache *cache)
{
	if (rq->operation->roles == ROLES_PUBLIC)
		return AUTH_OK;
	const char *key = bearer(rq);
	if (!key) {
		reply_problem(rq, CODE_UNAUTHENTICATED, NULL, 0);
		return AUTH_REFUSED;
	}
	sha256_of(key, strlen(key), rq->key_hash);
	const struct known_key *known = slot_of(cache, rq->key_hash);
	if (known->until_ms > now_ms() && memcmp(known->hash, rq->key_hash, SHA256_BYTES) == 0)
		return take_known(rq, known) ? AUTH_OK : AUTH_REFUSED;
	hex_of(rq->key_hash, SHA256_BYTES, rq->key_hex);
	request_read_key(rq, cache->statements->by_hash, rq->key_hex, looked_up);
	return rq->reply.staged ? AUTH_REFUSED : AUTH_WAIT;
}
