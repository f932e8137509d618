#include "base/sha256.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

struct sha256 {
	EVP_MD_CTX *ctx;
};

/* libcrypto's SHA-256 fails only when the library is broken or misconfigured. A digest that is not one would be worse than
 * no service: stop. */
static void must(int ok)
{
	if (!ok)
		abort();
}

struct sha256 *sha256_new(void)
{
	struct sha256 *h = malloc(sizeof *h);

	if (!h)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx && EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL))
		return h;
	EVP_MD_CTX_free(h->ctx);
	free(h);
	return NULL;
}

void sha256_add(struct sha256 *h, const void *p, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, p, n));
}

void sha256_end(struct sha256 *h, unsigned char out[SHA256_BYTES])
{
	if (!h)
		return;
	if (out)
		must(EVP_DigestFinal_ex(h->ctx, out, NULL));
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void sha256_of(const void *p, size_t n, unsigned char out[SHA256_BYTES])
{
	must(SHA256(n ? p : (const void *)"", n, out) != NULL);
}

void hex_of(const unsigned char *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

void sha256_hex(const void *p, size_t n, char out[SHA256_HEX])
{
	unsigned char digest[SHA256_BYTES];

	sha256_of(p, n, digest);
	hex_of(digest, sizeof digest, out);
}
