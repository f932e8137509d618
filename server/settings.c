#include "server/settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, FLAG, NUMBER };

struct setting {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *text; /* default of a TEXT; NULL: unset */
	long long number; /* default of a NUMBER */
	long long min, max;
	const char *meaning;
};

#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
        {"ASSAY_LISTEN", TEXT, AT(listen), "127.0.0.1:8080", 0, 0, 0, "address and port to serve on"},
        {"ASSAY_DATABASE_URL", TEXT, AT(database_url), NULL, 0, 0, 0,
         "PostgreSQL 15 to use; unset: a private one is made and run under ASSAY_HOME"},
        {"ASSAY_READ_DATABASE_URL", TEXT, AT(read_database_url), NULL, 0, 0, 0,
         "streaming replicas of it, one host or several, that take reads; unset: none"},
        {"ASSAY_READ_LAG_MS", NUMBER, AT(read_lag_ms), NULL, 1000, 200, 60000,
         "how many milliseconds behind a replica may be and still take reads"},
        {"ASSAY_HOME", TEXT, AT(home), ".assay", 0, 0, 0, "where the private database and admin.key are kept"},
        {"ASSAY_SANDBOX", FLAG, AT(sandbox), NULL, 0, 0, 0, "1: the clock is set by POST /v1/test-clock (the same as --sandbox)"},
        {"ASSAY_LOOPS", NUMBER, AT(loops), NULL, 0, 0, 64, "event loops; 0: one a processor"},
        {"ASSAY_WRITE_LANES", NUMBER, AT(write_lanes), NULL, 4, 1, 64, "database connections for writes, a loop"},
        {"ASSAY_WORKERS", NUMBER, AT(workers), NULL, 2, 1, 64, "threads for long answers"},
        {"ASSAY_STREAM_WORKERS", NUMBER, AT(stream_workers), NULL, 3, 1, 64, "threads for imports"},
        {"ASSAY_CONNECTIONS", NUMBER, AT(connections), NULL, 2048, 8, 100000, "HTTP connections in all"},
        {"ASSAY_CONNECTIONS_PER_ADDRESS", NUMBER, AT(connections_per_address), NULL, 1024, 1, 100000,
         "HTTP connections from one address, a loop"},
        {"ASSAY_BODY_SECONDS", NUMBER, AT(body_seconds), NULL, 60, 1, 3600,
         "a request must have arrived whole in this time (an import only has to keep moving)"},
        {"ASSAY_IDLE_SECONDS", NUMBER, AT(idle_seconds), NULL, 75, 1, 3600, "a connection without a request is closed after this time"},
        {"ASSAY_STOP_SECONDS", NUMBER, AT(stop_seconds), NULL, 20, 1, 600, "what a graceful stop may take"},
        {"ASSAY_LOG_LEVEL", TEXT, AT(log_level), "info", 0, 0, 0, "debug, info (each request), warn or error"},
        {"ASSAY_KEY_PEPPER_FILE", TEXT, AT(key_pepper_file), NULL, 0, 0, 0,
         "64 hex digits that the hashes of API keys are keyed with; unset: some are kept in the database"},
        {"ASSAY_CORS_ORIGINS", TEXT, AT(cors_origins), NULL, 0, 0, 0, "origins whose web pages may call, separated by commas"},
        {"ASSAY_JWT_PUBLIC_KEY_FILE", TEXT, AT(jwt_public_key_file), NULL, 0, 0, 0,
         "PEM public keys (RSA: RS256, P-256: ES256) of a single sign-on whose tokens are taken beside API keys"},
        {"ASSAY_JWT_ISSUER", TEXT, AT(jwt_issuer), NULL, 0, 0, 0, "what a token's iss must be"},
        {"ASSAY_JWT_AUDIENCE", TEXT, AT(jwt_audience), NULL, 0, 0, 0, "what a token's aud must be or contain"},
        {"ASSAY_JWT_ROLE_CLAIM", TEXT, AT(jwt_role_claim), "assay_role", 0, 0, 0, "claim that names the role"},
        {"ASSAY_JWT_PROVIDER_CLAIM", TEXT, AT(jwt_provider_claim), "assay_provider_id", 0, 0, 0,
         "claim that names the provider of a partner's token"},
        {"ASSAY_JWT_REQUESTS_PER_SECOND", NUMBER, AT(jwt_requests_per_second), NULL, 0, 0, 10000,
         "requests a second by the bearer of a token; 0: no limit"},
};

enum { SETTINGS = sizeof table / sizeof table[0] };

static bool read_one(const struct setting *one, void *field, FILE *err)
{
	const char *text = getenv(one->name);
	if (text && !*text)
		text = NULL;
	switch (one->kind) {
	case TEXT:
		*(const char **)field = text ? text : one->text;
		return true;
	case FLAG:
		*(bool *)field = text && strcmp(text, "1") == 0;
		if (!text || strcmp(text, "0") == 0 || strcmp(text, "1") == 0)
			return true;
		fprintf(err, "%s=%s: must be 0 or 1\n", one->name, text);
		return false;
	case NUMBER:
		break;
	}
	*(long long *)field = one->number;
	if (!text)
		return true;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || *end || end == text || value < one->min || value > one->max) {
		fprintf(err, "%s=%s: must be a number from %lld to %lld\n", one->name, text, one->min, one->max);
		return false;
	}
	*(long long *)field = value;
	return true;
}

bool settings_read(struct settings *s, FILE *err)
{
	bool ok = true;
	memset(s, 0, sizeof *s);
	for (size_t i = 0; i < SETTINGS; i++)
		ok = read_one(&table[i], (char *)s + table[i].offset, err) && ok;
	static const char *const levels[] = {"debug", "info", "warn", "error"};
	for (size_t i = 0; ok && i < 4; i++)
		if (strcmp(s->log_level, levels[i]) == 0)
			return true;
	if (ok)
		fprintf(err, "ASSAY_LOG_LEVEL=%s: must be debug, info, warn or error\n", s->log_level);
	return false;
}

void settings_help(FILE *out)
{
	fprintf(out, "Settings, from the environment:\n");
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *one = &table[i];
		if (one->kind == NUMBER)
			fprintf(out, "  %-30s %s (%lld; %lld to %lld)\n", one->name, one->meaning, one->number, one->min, one->max);
		else
			fprintf(out, "  %-30s %s (%s)\n", one->name, one->meaning, one->text ? one->text : "unset");
	}
}
