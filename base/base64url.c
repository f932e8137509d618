#include "base/base64url.h"

#include <stdint.h>

void base64url_encode(const void *p, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *in = p;
	uint32_t bits = 0;
	unsigned have = 0; /* of them, not written yet */

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | in[i];
		for (have += 8; have >= 6; have -= 6)
			*out++ = digits[bits >> (have - 6) & 63];
	}
	if (have)
		*out++ = digits[bits << (6 - have) & 63];
	*out = '\0';
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

bool base64url_decode(const char *text, size_t n, void *out, size_t size, size_t *len)
{
	unsigned char *to = out;
	uint32_t bits = 0;
	unsigned have = 0;
	size_t put = 0;

	if (n % 4 == 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		int v = value_of(text[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have < 8)
			continue;
		if (put == size)
			return false;
		have -= 8;
		to[put++] = (unsigned char)(bits >> have);
	}
	if (bits & ((1U << have) - 1))
		return false;
	*len = put;
	return true;
}
