#include "server/api_key.h"

#include "base/base64url.h"
#include "base/random.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_BYTES = 32 };

void api_key_prefix(const char *text, char prefix[API_KEY_PREFIX])
{
	snprintf(prefix, API_KEY_PREFIX, "%s", text);
}

bool api_key_make(struct api_key *key)
{
	unsigned char secret[SECRET_BYTES];
	if (!random_bytes(secret, sizeof secret))
		return false;
	memcpy(key->text, "ask_", 4);
	base64url_encode(secret, sizeof secret, key->text + 4);
	explicit_bzero(secret, sizeof secret);
	api_key_prefix(key->text, key->prefix);
	return true;
}

/* ---- hashing ---- */

struct key_hasher {
	EVP_MAC_CTX *mac; /* keyed once: starting it anew costs no more than a plain SHA-256 */
};

static bool begin(EVP_MAC_CTX *mac, const unsigned char *pepper)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	                             OSSL_PARAM_construct_end()};
	return EVP_MAC_init(mac, pepper, PEPPER_BYTES, params) == 1;
}

struct key_hasher *key_hasher_new(const unsigned char pepper[PEPPER_BYTES])
{
	struct key_hasher *hasher = calloc(1, sizeof *hasher);
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (hasher && hmac)
		hasher->mac = EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac);
	if (hasher && hasher->mac && begin(hasher->mac, pepper))
		return hasher;
	key_hasher_free(hasher);
	return NULL;
}

void key_hasher_free(struct key_hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MAC_CTX_free(hasher->mac);
	free(hasher);
}

/* As in base/sha256.c: libcrypto fails here only when it is broken, and a hash that is none would let anybody in. */
void key_hash(struct key_hasher *hasher, const char *key, size_t len, unsigned char out[SHA256_BYTES])
{
	size_t n = 0;
	if (EVP_MAC_init(hasher->mac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(hasher->mac, (const unsigned char *)key, len) != 1 ||
	    EVP_MAC_final(hasher->mac, out, &n, SHA256_BYTES) != 1 || n != SHA256_BYTES)
		abort();
}

void key_hash_hex(struct key_hasher *hasher, const char *key, char out[SHA256_HEX])
{
	unsigned char hash[SHA256_BYTES];
	key_hash(hasher, key, strlen(key), hash);
	hex_of(hash, sizeof hash, out);
}
