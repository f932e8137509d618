/* An API key: `ask_` and 43 characters of base64url, 256 bits from the system's generator. What is kept of it is its hash alone,
 * HMAC-SHA256 keyed with the pepper: a random key of that length needs no slow hash, and who has a copy of the hashes without
 * the pepper cannot even tell whether a key is among them. */
#ifndef ASSAY_SERVER_API_KEY_H
#define ASSAY_SERVER_API_KEY_H

#include "base/sha256.h"

#include <stdbool.h>

enum { API_KEY_TEXT = 48, API_KEY_PREFIX = 9, PEPPER_BYTES = 32 };

struct api_key {
	char text[API_KEY_TEXT];
	char prefix[API_KEY_PREFIX]; /* enough to recognise it by */
};

bool api_key_make(struct api_key *key) __attribute__((warn_unused_result)); /* false: no entropy */
void api_key_prefix(const char *text, char prefix[API_KEY_PREFIX]);

/* The one function that hashes keys. A hasher is for one thread at a time. */
struct key_hasher;
struct key_hasher *key_hasher_new(const unsigned char pepper[PEPPER_BYTES]); /* NULL when out of memory */
void key_hasher_free(struct key_hasher *hasher);
void key_hash(struct key_hasher *hasher, const char *key, size_t len, unsigned char out[SHA256_BYTES]);
void key_hash_hex(struct key_hasher *hasher, const char *key, char out[SHA256_HEX]);

#endif
