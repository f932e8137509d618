#include "base/gunzip.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS }; /* zlib's way to say: a gzip header, and no other */

struct gunzip {
	z_stream z;
	const unsigned char *in; /* borrowed; what zlib has not been given yet */
	size_t in_len;
	bool between; /* after a whole member: more input begins another */
	enum gunzip_status status;
};

struct gunzip *gunzip_new(void)
{
	struct gunzip *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	if (inflateInit2(&g->z, GZIP_ONLY) != Z_OK) {
		free(g);
		return NULL;
	}
	return g;
}

void gunzip_free(struct gunzip *g)
{
	if (!g)
		return;
	(void)inflateEnd(&g->z);
	free(g);
}

void gunzip_feed(struct gunzip *g, const void *p, size_t n)
{
	assert(g->status != GUNZIP_OK || (g->in_len == 0 && g->z.avail_in == 0));
	g->in = p;
	g->in_len = n;
}

/* zlib counts in unsigned int: larger pieces go to it in parts. */
static void refill(struct gunzip *g)
{
	size_t part = g->in_len < UINT_MAX ? g->in_len : UINT_MAX;

	if (g->z.avail_in || !part)
		return;
	g->z.next_in = (Bytef *)(size_t)g->in; /* zlib does not write there */
	g->z.avail_in = (uInt)part;
	g->in += part;
	g->in_len -= part;
}

static void judge(struct gunzip *g, int zlib_status)
{
	switch (zlib_status) {
	case Z_OK:
	case Z_BUF_ERROR: /* nothing could be done: used up, or no room */
		break;
	case Z_STREAM_END:
		g->between = true;
		break;
	case Z_MEM_ERROR:
		g->status = GUNZIP_NO_MEMORY;
		break;
	default:
		g->status = GUNZIP_CORRUPT;
		break;
	}
}

enum gunzip_status gunzip_read(struct gunzip *g, void *out, size_t size, size_t *got)
{
	uInt room = (uInt)(size < UINT_MAX ? size : UINT_MAX);

	assert(size > 0);
	*got = 0;
	g->z.next_out = out;
	g->z.avail_out = room;
	while (g->status == GUNZIP_OK && g->z.avail_out) {
		uInt before = g->z.avail_out;

		refill(g);
		if (g->between && g->z.avail_in) {
			g->between = false;
			(void)inflateReset(&g->z); /* fails only on a stream that was never set up */
		}
		if (g->between)
			break;
		judge(g, inflate(&g->z, Z_NO_FLUSH));
		if (g->z.avail_in == 0 && g->in_len == 0 && g->z.avail_out == before)
			break;
	}
	*got = room - g->z.avail_out;
	return g->status;
}

enum gunzip_status gunzip_end(const struct gunzip *g)
{
	if (g->status != GUNZIP_OK)
		return g->status;
	return g->between ? GUNZIP_OK : GUNZIP_TRUNCATED;
}
