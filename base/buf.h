/* A growing byte buffer that cannot be made without a maximum.
 *
 * Errors are sticky: after an append that would pass `max`, or an allocation that failed, `failed` is set, the contents
 * stay as they were and every later append does nothing. Check once, at the end. */
#ifndef ASSAY_BASE_BUF_H
#define ASSAY_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *data; /* owned; NUL-terminated once anything was appended */
	size_t len;
	size_t cap;
	size_t max; /* the most `len` may become; not changed once anything was appended */
	bool failed;
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_free(struct buf *b);           /* frees the bytes; the buffer is empty and usable again */
void buf_reset(struct buf *b);          /* len = 0 and failed = false; keeps the memory */
void buf_add_growing(struct buf *b, const void *p, size_t n);
void buf_int(struct buf *b, int64_t v); /* decimal */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_reserve(struct buf *b, size_t n); /* room for n more bytes; false sets failed */

/* Nearly always there is room, and no more to do than to copy: answers and documents are thousands of these. */
static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	if (b->failed || n >= b->cap - b->len) {
		buf_add_growing(b, p, n);
		return;
	}
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

static inline void buf_puts(struct buf *b, const char *s) { buf_add(b, s, strlen(s)); }

static inline void buf_putc(struct buf *b, char c) { buf_add(b, &c, 1); }

/* The bytes as a NUL-terminated string that the caller frees; NULL when the buffer failed. The buffer is empty after. */
char *buf_take(struct buf *b) __attribute__((warn_unused_result));

#endif
