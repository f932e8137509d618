/* The public keys that sign-on tokens are checked with; for jwt.c only. */
#ifndef ASSAY_SERVER_JWT_KEYS_H
#define ASSAY_SERVER_JWT_KEYS_H

#include <cjose/jwk.h>
#include <stddef.h>

enum { JWT_KEYS_MAX = 8 };

struct jwt_key {
	cjose_jwk_t *jwk;
	const char *alg; /* the one algorithm for a key of its type */
};

/* Reads every "PUBLIC KEY" of a PEM file. 0, with the reason in the log, when there is none, one is not RSA of 2048 to 8192 bits
 * or EC of P-256, or there are too many. */
size_t jwt_keys_read(const char *path, struct jwt_key keys[JWT_KEYS_MAX]);
void jwt_keys_free(struct jwt_key *keys, size_t len);

#endif
