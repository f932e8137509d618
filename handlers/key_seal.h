/* The secret of a new API key, made so that a retry under the same Idempotency-Key gets the same answer although the database
 * never holds the secret: it keeps a random seal, and only who presents the key that asked for the new one can derive the
 * secret from it (HMAC-SHA256). Neither the database nor a leaked key alone gives it. */
#ifndef ASSAY_HANDLERS_KEY_SEAL_H
#define ASSAY_HANDLERS_KEY_SEAL_H

#include "base/base64url.h"
#include "base/sha256.h"

#include <stdbool.h>

enum {
	KEY_SEAL_TEXT = BASE64URL_TEXT(SHA256_BYTES),
	KEY_SECRET_TEXT = sizeof("ask_") - 1 + BASE64URL_TEXT(SHA256_BYTES), /* ask_ and 43 digits, and a NUL */
	KEY_PREFIX_LENGTH = 8 /* what is kept to recognise a key by */
};

bool key_seal_new(char seal[KEY_SEAL_TEXT]) __attribute__((warn_unused_result)); /* false: no entropy */
/* The secret that `bearer`, the caller's own key, opens the seal to. False when it is no seal. */
bool key_seal_open(const char *bearer, const char *seal, char secret[KEY_SECRET_TEXT]) __attribute__((warn_unused_result));

#endif
