#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_CAP = 256 };

void buf_free(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT(b->max);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Doubles, so that n appends cost O(n); never past max + 1 (the NUL). */
static size_t next_cap(const struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST_CAP;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? SIZE_MAX : cap * 2;
	return b->max < SIZE_MAX && cap > b->max + 1 ? b->max + 1 : cap;
}

static bool grow(struct buf *b, size_t need)
{
	size_t cap = next_cap(b, need);
	char *data = realloc(b->data, cap);

	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

bool buf_reserve(struct buf *b, size_t n)
{
	if (b->failed)
		return false;
	assert(b->len <= b->max);
	if (n > b->max - b->len || b->len + n == SIZE_MAX) {
		b->failed = true;
		return false;
	}
	return b->len + n < b->cap || grow(b, b->len + n + 1);
}

void buf_add_growing(struct buf *b, const void *p, size_t n)
{
	if (!buf_reserve(b, n))
		return;
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_int(struct buf *b, int64_t v)
{
	char digits[20]; /* 19 digits and a sign */
	size_t at = sizeof digits;
	uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do
		digits[--at] = (char)('0' + left % 10);
	while (left /= 10);
	if (v < 0)
		digits[--at] = '-';
	buf_add(b, digits + at, sizeof digits - at);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!buf_reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

char *buf_take(struct buf *b)
{
	char *data = NULL;

	buf_add(b, "", 0); /* so that an empty buffer gives "" */
	if (!b->failed) {
		data = b->data;
		b->data = NULL;
	}
	buf_free(b);
	return data;
}
