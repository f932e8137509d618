/* Memory that is given out piece by piece and freed as a whole: for what lives exactly as long as one chunk of work. */
#ifndef ASSAY_MODEL_STORE_ARENA_H
#define ASSAY_MODEL_STORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
	struct arena_block *blocks; /* owned */
	size_t used;                /* bytes given out */
	size_t max;                 /* the most `used` may become */
	bool failed;                /* sticky: something was refused */
};

#define ARENA_INIT(max_bytes) ((struct arena){.max = (max_bytes)})

/* Zeroed memory for n items of `size` bytes, aligned for anything; n = 0 gives a valid pointer too. NULL sets `failed`. */
void *arena_take(struct arena *a, size_t n, size_t size);
char *arena_text(struct arena *a, const char *s); /* a copy; NULL of NULL */
void arena_free(struct arena *a);                 /* everything; the arena is empty and usable again */

#endif
