#include "model/store/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024, ALIGN = alignof(max_align_t) };

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

static struct arena_block *block_add(struct arena *a, size_t bytes)
{
	size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
	struct arena_block *b = calloc(1, sizeof *b + size);
	if (!b)
		return NULL;
	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *arena_take(struct arena *a, size_t n, size_t size)
{
	if (a->failed || (size && n > (SIZE_MAX - ALIGN) / size))
		goto refuse;
	size_t bytes = (n * size + ALIGN - 1) / ALIGN * ALIGN;
	if (bytes > a->max - a->used)
		goto refuse;
	struct arena_block *b = a->blocks;
	if (!b || bytes > b->size - b->used)
		b = block_add(a, bytes);
	if (!b)
		goto refuse;
	void *p = b->bytes + b->used;
	b->used += bytes;
	a->used += bytes;
	return p;
refuse:
	a->failed = true;
	return NULL;
}

char *arena_text(struct arena *a, const char *s)
{
	if (!s)
		return NULL;
	size_t n = strlen(s) + 1;
	char *copy = arena_take(a, n, 1);
	if (copy)
		memcpy(copy, s, n);
	return copy;
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;
		free(a->blocks);
		a->blocks = next;
	}
	a->used = 0;
	a->failed = false;
}
