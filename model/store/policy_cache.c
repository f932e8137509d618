#include "model/store/policy_cache.h"

#include "model/store/policies.h"
#include "server/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct statement POLICY_PUBLISHED = {
        .name = "policy_published",
        .sql = "select (select document from policy where policy_id = split_part($1, '@', 1)"
               " and version = substr($1, position('@' in $1) + 1) and status = 'published')",
        .params = 1,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct policy *cached[POLICY_CACHE_MAX]; /* guarded by `lock`; entries never go */
static size_t cached_len;

static const struct policy *find_locked(const char *ref)
{
	for (size_t i = 0; i < cached_len; i++)
		if (strcmp(cached[i]->ref, ref) == 0)
			return cached[i];
	return NULL;
}

const struct policy *policy_cache_peek(const char *ref)
{
	pthread_mutex_lock(&lock);
	const struct policy *p = find_locked(ref);
	pthread_mutex_unlock(&lock);
	return p;
}

/* Keeps `p`, or the one that another thread kept meanwhile. NULL when the cache is full. */
static const struct policy *keep(struct policy *p)
{
	pthread_mutex_lock(&lock);
	const struct policy *kept = find_locked(p->ref);
	if (!kept && cached_len < POLICY_CACHE_MAX) {
		cached[cached_len++] = p;
		kept = p;
		p = NULL;
	}
	pthread_mutex_unlock(&lock);
	policy_free(p);
	return kept;
}

static struct policy *parse(const char *document)
{
	struct faults faults = {0};
	struct policy *p = policy_parse(document, &faults);
	faults_free(&faults);
	return p;
}

enum db_status policy_cache_get(struct db *db, const char *ref, const struct policy **out)
{
	*out = policy_cache_peek(ref);
	if (*out)
		return DB_OK;
	PGresult *res = NULL;
	enum db_status status = db_run(db, &POLICY_PUBLISHED, (const char *const[]){ref}, &res);
	if (status != DB_OK)
		return status;
	if (PQntuples(res) == 1 && !PQgetisnull(res, 0, 0)) {
		struct policy *p = parse(PQgetvalue(res, 0, 0));
		const char *why = p ? "the cache is full" : "unreadable";
		*out = p ? keep(p) : NULL;
		if (!*out) {
			log_line(LOG_ERROR, "a published policy cannot be kept", "policy", ref, "why", why, NULL);
			status = DB_FAILED;
		}
	}
	PQclear(res);
	return status;
}
