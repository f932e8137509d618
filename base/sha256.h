/* SHA-256 by libcrypto (there already for libpq's TLS): whole or in pieces, as bytes or as 64 lower-case hex digits. */
#ifndef ASSAY_BASE_SHA256_H
#define ASSAY_BASE_SHA256_H

#include <stddef.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 65 };

struct sha256;
struct sha256 *sha256_new(void); /* NULL when out of memory */
void sha256_add(struct sha256 *h, const void *p, size_t n);
void sha256_end(struct sha256 *h, unsigned char out[SHA256_BYTES]); /* frees h; out may be NULL to give up */
void sha256_of(const void *p, size_t n, unsigned char out[SHA256_BYTES]);
void hex_of(const unsigned char *p, size_t n, char *out); /* 2n digits and a NUL */
void sha256_hex(const void *p, size_t n, char out[SHA256_HEX]);

#endif
