#include "handlers/key_seal.h"

#include "base/random.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

bool key_seal_new(char seal[KEY_SEAL_TEXT])
{
	unsigned char bytes[SHA256_BYTES];
	if (!random_bytes(bytes, sizeof bytes))
		return false;
	base64url_encode(bytes, sizeof bytes, seal);
	return true;
}

bool key_seal_open(const char *bearer, const char *seal, char secret[KEY_SECRET_TEXT])
{
	static const char purpose[] = "assay api key";
	unsigned char message[sizeof purpose + SHA256_BYTES], mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	size_t len;
	memcpy(message, purpose, sizeof purpose);
	if (!base64url_decode(seal, strlen(seal), message + sizeof purpose, SHA256_BYTES, &len) || len != SHA256_BYTES)
		return false;
	if (!HMAC(EVP_sha256(), bearer, (int)strlen(bearer), message, sizeof message, mac, &mac_len) || mac_len != SHA256_BYTES)
		return false;
	memcpy(secret, "ask_", 4);
	base64url_encode(mac, SHA256_BYTES, secret + 4);
	return true;
}
