/* An API key: `ask_` and 43 characters of base64url, 256 bits from the system's generator. Only its SHA-256 is ever kept: a
 * random key of that length needs no slow hash. */
#ifndef ASSAY_SERVER_API_KEY_H
#define ASSAY_SERVER_API_KEY_H

#include "base/sha256.h"

#include <stdbool.h>

enum { API_KEY_TEXT = 48, API_KEY_PREFIX = 9 };

struct api_key {
	char text[API_KEY_TEXT];
	char hash[SHA256_HEX];
	char prefix[API_KEY_PREFIX]; /* enough to recognise it by */
};

bool api_key_make(struct api_key *key) __attribute__((warn_unused_result)); /* false: no entropy */

#endif
