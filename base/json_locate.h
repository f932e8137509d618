/* Where in a JSON text something stands: for the reader's faults (base/json_read.c), when there is no tree to ask. */
#ifndef ASSAY_BASE_JSON_LOCATE_H
#define ASSAY_BASE_JSON_LOCATE_H

#include "base/faults.h"

#include <stdbool.h>
#include <stddef.h>

struct json_place {
	size_t line; /* from 1 */
	size_t column; /* from 1, in code points */
};

/* Of the byte at offset `at`. Bytes that are not UTF-8 count as they can. */
struct json_place json_place_of(const char *data, size_t len, size_t at);

/* The JSON pointer of the value, or of the member whose name it is, that the byte at offset `at` belongs to, into out, cut at
 * the size; returns out. The text up to `at` should be JSON; where it is not, the pointer is the nearest one known. */
const char *json_locate(const char *data, size_t len, size_t at, char *out, size_t size);

/* Adds a DUPLICATE_MEMBER fault for every member that repeats a name of its object. The text must be valid JSON otherwise, no
 * deeper than JSON_DEPTH_MAX. False when out of memory. */
bool json_duplicates(const char *data, size_t len, struct faults *faults);

#endif
