/* Every setting: its environment variable, its default, its bounds and what it is for, in one table that reads the
 * environment, prints `assayd help settings` and is the documentation. */
#ifndef ASSAY_SERVER_SETTINGS_H
#define ASSAY_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

struct settings {
	const char *listen;       /* "host:port" */
	const char *database_url; /* NULL: a private PostgreSQL */
	const char *read_database_url; /* streaming replicas of it that take reads; NULL: none */
	long long read_lag_ms;         /* how old the state may be that they show */
	const char *home;
	bool sandbox;
	long long loops;
	long long write_lanes;    /* connections for writes, a loop */
	long long workers;        /* threads for what one caller waits for */
	long long stream_workers; /* threads for imports and evaluations */
	long long connections;    /* HTTP connections in all */
	long long connections_per_address;
	long long body_seconds;   /* from a request's first byte to its last, except streamed imports */
	long long idle_seconds;   /* a connection without a request is closed */
	long long stop_seconds;   /* what a graceful stop may take */
	const char *log_level;
	const char *key_pepper_file; /* NULL: the pepper is in the database */
	const char *cors_origins;    /* "https://a.example,https://b.example"; NULL: none */
	const char *jwt_public_key_file; /* NULL: sign-on tokens are not taken */
	const char *jwt_issuer, *jwt_audience, *jwt_role_claim, *jwt_provider_claim;
	long long jwt_requests_per_second; /* of the bearer of a token; 0: no limit */
};

/* Reads the environment. False, with one line a problem on `err`, when a value is not possible. */
bool settings_read(struct settings *s, FILE *err) __attribute__((warn_unused_result));
void settings_help(FILE *out);

#endif
