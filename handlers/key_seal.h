/* The secret of a new API key, made so that a retry under the same Idempotency-Key gets the same answer although the database
 * never holds the secret: it keeps a random seal, and only who presents the key (or token) that asked for the new one can derive
 * the secret from it (HMAC-SHA256). Neither the database nor a leaked key alone gives it. */
#ifndef ASSAY_HANDLERS_KEY_SEAL_H
#define ASSAY_HANDLERS_KEY_SEAL_H

#include "base/base64url.h"
#include "base/sha256.h"

#include <stdbool.h>

enum {
	KEY_SEAL_MARK = 8, /* bytes by which a seal knows the bearer that it was made for */
	KEY_SEAL_TEXT = BASE64URL_TEXT(SHA256_BYTES + KEY_SEAL_MARK),
	KEY_SECRET_TEXT = sizeof("ask_") - 1 + BASE64URL_TEXT(SHA256_BYTES) /* ask_ and 43 digits, and a NUL */
};

/* `bearer` is what the caller authenticated with. False: no entropy. */
bool key_seal_new(const char *bearer, char seal[KEY_SEAL_TEXT]) __attribute__((warn_unused_result));
/* The secret that it opens to. False when it is no seal, or was made for another bearer. */
bool key_seal_open(const char *bearer, const char *seal, char secret[KEY_SECRET_TEXT]) __attribute__((warn_unused_result));

#endif
