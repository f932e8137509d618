#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool tail(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* The table of well-formed byte sequences, Unicode 15, 3.9, table 3-7. */
static size_t multibyte(const unsigned char *s, size_t n)
{
	unsigned char c = s[0];

	if (c >= 0xC2 && c <= 0xDF)
		return n >= 2 && tail(s[1]) ? 2 : 0;
	if (c >= 0xE0 && c <= 0xEF) {
		unsigned char low = c == 0xE0 ? 0xA0 : 0x80; /* else overlong */
		unsigned char high = c == 0xED ? 0x9F : 0xBF; /* else a surrogate */

		return n >= 3 && s[1] >= low && s[1] <= high && tail(s[2]) ? 3 : 0;
	}
	if (c >= 0xF0 && c <= 0xF4) {
		unsigned char low = c == 0xF0 ? 0x90 : 0x80; /* else overlong */
		unsigned char high = c == 0xF4 ? 0x8F : 0xBF; /* else above U+10FFFF */

		return n >= 4 && s[1] >= low && s[1] <= high && tail(s[2]) && tail(s[3]) ? 4 : 0;
	}
	return 0;
}

size_t utf8_char(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;

	if (n == 0)
		return 0;
	return s[0] < 0x80 ? 1 : multibyte(s, n);
}

/* How many of the next bytes are ASCII without NUL, eight at a time: most input is nothing else. */
static size_t plain_run(const char *p, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t w;

		memcpy(&w, p + i, 8);
		/* A byte with the top bit set, or a zero byte (with false alarms, which the slow loop settles). */
		if ((w | (w - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080))
			break;
	}
	return i;
}

enum utf8_verdict utf8_check(const char *p, size_t n, size_t *at)
{
	enum utf8_verdict verdict = UTF8_OK;
	size_t i = 0;

	while (i < n) {
		size_t step = plain_run(p + i, n - i);

		if (!step)
			step = p[i] ? utf8_char(p + i, n - i) : 0;
		if (!step) {
			verdict = p[i] ? UTF8_INVALID : UTF8_NUL;
			break;
		}
		i += step;
	}
	if (at)
		*at = i;
	return verdict;
}

size_t utf8_count(const char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !tail((unsigned char)p[i]);
	return count;
}
