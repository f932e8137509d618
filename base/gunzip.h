/* Streaming gzip (RFC 1952) by zlib: one member or several in a row, nothing after them. Output comes in pieces no larger than
 * the caller's buffer, so that a little input that becomes much output costs time, never memory. */
#ifndef ASSAY_BASE_GUNZIP_H
#define ASSAY_BASE_GUNZIP_H

#include <stddef.h>

struct gunzip;
struct gunzip *gunzip_new(void); /* NULL when out of memory */
void gunzip_free(struct gunzip *g);

enum gunzip_status {
	GUNZIP_OK,
	GUNZIP_CORRUPT, /* not gzip, a wrong checksum, bytes after the last member */
	GUNZIP_TRUNCATED, /* from gunzip_end() only */
	GUNZIP_NO_MEMORY
};

/* Gives the next n bytes of input, which must stay until gunzip_read() has given 0. Not before that of the piece before. */
void gunzip_feed(struct gunzip *g, const void *p, size_t n);

/* Writes up to `size` (> 0) bytes to out and says how many in *got; 0 means that the input is used up. An error is final. */
enum gunzip_status gunzip_read(struct gunzip *g, void *out, size_t size, size_t *got) __attribute__((warn_unused_result));

/* No more input: whether it was whole. */
enum gunzip_status gunzip_end(const struct gunzip *g) __attribute__((warn_unused_result));

#endif
