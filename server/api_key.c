#include "server/api_key.h"

#include "base/base64url.h"
#include "base/random.h"

#include <stdio.h>
#include <string.h>

enum { SECRET_BYTES = 32 };

bool api_key_make(struct api_key *key)
{
	unsigned char secret[SECRET_BYTES];
	if (!random_bytes(secret, sizeof secret))
		return false;
	memcpy(key->text, "ask_", 4);
	base64url_encode(secret, sizeof secret, key->text + 4);
	explicit_bzero(secret, sizeof secret);
	sha256_hex(key->text, strlen(key->text), key->hash);
	snprintf(key->prefix, sizeof key->prefix, "%s", key->text);
	return true;
}
