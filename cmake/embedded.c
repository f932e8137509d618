/* The lookup behind server/embedded.h. The table itself is written by cmake/embed.cmake, in assembler, sorted by path. */
#include "server/embedded.h"

#include <string.h>

/* The layout that the assembler writes: three words a row. */
_Static_assert(sizeof(struct embedded_file) == 24, "cmake/embed.cmake writes rows of three 8-byte words");

extern const struct embedded_file assay_embedded_table[];
extern const size_t assay_embedded_count;

const struct embedded_file *embedded_list(size_t *count)
{
	*count = assay_embedded_count;
	return assay_embedded_table;
}

const struct embedded_file *embedded_find(const char *path)
{
	size_t low = 0, high = assay_embedded_count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(path, assay_embedded_table[mid].path);
		if (order == 0)
			return &assay_embedded_table[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}
