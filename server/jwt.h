/* Bearer tokens of a single sign-on: JWTs (RFC 7519) signed RS256 or ES256, checked against public keys in a file. The algorithm
 * is fixed by the key's type, never chosen by the token. */
#ifndef ASSAY_SERVER_JWT_H
#define ASSAY_SERVER_JWT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	JWT_MAX = 4096, /* characters of a token */
	JWT_LEEWAY_SECONDS = 30, /* by which the issuer's clock may differ from ours */
	JWT_ACTOR_MAX = 480,
	JWT_NAME_MAX = 804, /* 200 characters of UTF-8 */
	JWT_ROLE_MAX = 32,
	JWT_PROVIDER_MAX = 65
};

struct jwt_settings {
	const char *key_file; /* PEM, one public key or several (while the issuer changes its key); NULL: no tokens */
	const char *issuer, *audience; /* what `iss` must be, and `aud` be or contain */
	const char *role_claim, *provider_claim; /* names of the claims */
};

struct jwt; /* never changed once it is made: shared by all loops */
/* *out is NULL when no key file is set. False, with the reason in the log, when a setting or the file is no good. */
bool jwt_new(const struct jwt_settings *settings, struct jwt **out) __attribute__((warn_unused_result));
void jwt_free(struct jwt *jwt);

struct jwt_claims {
	char actor_id[JWT_ACTOR_MAX]; /* jwt:<issuer>:<sub> */
	char name[JWT_NAME_MAX]; /* the claim `name`, else `sub` */
	char role[JWT_ROLE_MAX];
	char provider_id[JWT_PROVIDER_MAX]; /* "" when it has none */
	int64_t until_s; /* Unix time at which it stops being valid, leeway included */
};

/* NULL: it is valid at `now_s` and *out is what it says. Otherwise why it is not, for the log. */
const char *jwt_check(const struct jwt *jwt, const char *token, int64_t now_s, struct jwt_claims *out)
        __attribute__((warn_unused_result));

#endif
