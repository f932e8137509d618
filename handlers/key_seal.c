#include "handlers/key_seal.h"

#include "base/random.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { MESSAGE_MAX = 32 + SHA256_BYTES };

/* Different for each purpose, bearer and random part. */
static bool derive(const char *purpose, const char *bearer, const unsigned char random[SHA256_BYTES],
                   unsigned char out[SHA256_BYTES])
{
	unsigned char message[MESSAGE_MAX] = {0}, mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	memcpy(message, purpose, strlen(purpose));
	memcpy(message + MESSAGE_MAX - SHA256_BYTES, random, SHA256_BYTES);
	if (!HMAC(EVP_sha256(), bearer, (int)strlen(bearer), message, sizeof message, mac, &len) || len != SHA256_BYTES)
		return false;
	memcpy(out, mac, SHA256_BYTES);
	return true;
}

static bool mark_of(const char *bearer, const unsigned char random[SHA256_BYTES], unsigned char mark[SHA256_BYTES])
{
	return derive("assay seal of an api key", bearer, random, mark);
}

bool key_seal_new(const char *bearer, char seal[KEY_SEAL_TEXT])
{
	unsigned char bytes[SHA256_BYTES + KEY_SEAL_MARK], mark[SHA256_BYTES];
	if (!random_bytes(bytes, SHA256_BYTES) || !mark_of(bearer, bytes, mark))
		return false;
	memcpy(bytes + SHA256_BYTES, mark, KEY_SEAL_MARK);
	base64url_encode(bytes, sizeof bytes, seal);
	return true;
}

bool key_seal_open(const char *bearer, const char *seal, char secret[KEY_SECRET_TEXT])
{
	unsigned char bytes[SHA256_BYTES + KEY_SEAL_MARK], mac[SHA256_BYTES];
	size_t len;
	if (!base64url_decode(seal, strlen(seal), bytes, sizeof bytes, &len) || len != sizeof bytes)
		return false;
	if (!mark_of(bearer, bytes, mac) || CRYPTO_memcmp(mac, bytes + SHA256_BYTES, KEY_SEAL_MARK) != 0)
		return false;
	if (!derive("assay api key", bearer, bytes, mac))
		return false;
	memcpy(secret, "ask_", 4);
	base64url_encode(mac, SHA256_BYTES, secret + 4);
	return true;
}
