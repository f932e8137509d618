#include "server/jwt_keys.h"

#include "server/log.h"

#include <cjose/header.h>
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, RSA_BYTES_MAX = RSA_BITS_MAX / 8, P256_BYTES = 32 };

/* A number of the key as big-endian bytes, padded to `pad` (0: not). Their count; 0: the key has no such number. */
static size_t number(const EVP_PKEY *key, const char *name, unsigned char out[RSA_BYTES_MAX], int pad)
{
	BIGNUM *bn = NULL;
	int n = 0;
	if (EVP_PKEY_get_bn_param(key, name, &bn) == 1 && BN_num_bytes(bn) <= RSA_BYTES_MAX)
		n = BN_bn2binpad(bn, out, pad ? pad : BN_num_bytes(bn));
	BN_free(bn);
	return n > 0 ? (size_t)n : 0;
}

static struct jwt_key rsa_key(const EVP_PKEY *key)
{
	unsigned char n[RSA_BYTES_MAX], e[RSA_BYTES_MAX];
	cjose_err err;
	int bits = EVP_PKEY_get_bits(key);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return (struct jwt_key){0};
	const cjose_jwk_rsa_keyspec spec = {.n = n,
	                                    .nlen = number(key, OSSL_PKEY_PARAM_RSA_N, n, 0),
	                                    .e = e,
	                                    .elen = number(key, OSSL_PKEY_PARAM_RSA_E, e, 0)};
	return (struct jwt_key){spec.nlen && spec.elen ? cjose_jwk_create_RSA_spec(&spec, &err) : NULL, CJOSE_HDR_ALG_RS256};
}

static struct jwt_key ec_key(const EVP_PKEY *key)
{
	unsigned char x[RSA_BYTES_MAX], y[RSA_BYTES_MAX];
	char group[32];
	cjose_err err;
	if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL) != 1 ||
	    strcmp(group, "prime256v1") != 0)
		return (struct jwt_key){0};
	const cjose_jwk_ec_keyspec spec = {.crv = CJOSE_JWK_EC_P_256,
	                                   .x = x,
	                                   .xlen = number(key, OSSL_PKEY_PARAM_EC_PUB_X, x, P256_BYTES),
	                                   .y = y,
	                                   .ylen = number(key, OSSL_PKEY_PARAM_EC_PUB_Y, y, P256_BYTES)};
	return (struct jwt_key){spec.xlen && spec.ylen ? cjose_jwk_create_EC_spec(&spec, &err) : NULL, CJOSE_HDR_ALG_ES256};
}

static struct jwt_key key_of(const EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return rsa_key(key);
	case EVP_PKEY_EC:
		return ec_key(key);
	default:
		return (struct jwt_key){0};
	}
}

void jwt_keys_free(struct jwt_key *keys, size_t len)
{
	for (size_t i = 0; i < len; i++)
		cjose_jwk_release(keys[i].jwk);
}

static size_t refused(struct jwt_key *keys, size_t len, const char *path, const char *why)
{
	log_line(LOG_ERROR, "ASSAY_JWT_PUBLIC_KEY_FILE is no good", "file", path, "why", why, NULL);
	jwt_keys_free(keys, len);
	return 0;
}

/* The next block of the file, if there is one: a public key, or none when it is anything else. */
static bool next_block(FILE *file, EVP_PKEY **key)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	bool any = PEM_read(file, &name, &header, &data, &len) == 1;
	const unsigned char *at = data;
	*key = any && strcmp(name, PEM_STRING_PUBLIC) == 0 ? d2i_PUBKEY(NULL, &at, len) : NULL;
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(data, (size_t)len);
	return any;
}

static const char *read_keys(FILE *file, struct jwt_key keys[JWT_KEYS_MAX], size_t *len)
{
	EVP_PKEY *key;
	while (next_block(file, &key)) {
		bool full = *len == JWT_KEYS_MAX, is_key = key != NULL;
		struct jwt_key one = is_key && !full ? key_of(key) : (struct jwt_key){0};
		EVP_PKEY_free(key);
		if (full)
			return "it has too many keys";
		if (!is_key)
			return "not all of it is PUBLIC KEYs";
		if (!one.jwk)
			return "a key is neither RSA of 2048 to 8192 bits nor EC of P-256";
		keys[(*len)++] = one;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return "it is not PEM";
	return *len ? NULL : "it has no PUBLIC KEY";
}

size_t jwt_keys_read(const char *path, struct jwt_key keys[JWT_KEYS_MAX])
{
	FILE *file = fopen(path, "re");
	size_t len = 0;
	if (!file)
		return refused(keys, 0, path, strerror(errno));
	const char *why = read_keys(file, keys, &len);
	fclose(file);
	ERR_clear_error();
	return why ? refused(keys, len, path, why) : len;
}
