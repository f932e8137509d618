/* Whether jansson ran out of memory: by itself it tells some failed allocations as syntax errors, and a caller must not hear
 * that good JSON is bad. */
#ifndef ASSAY_BASE_JSON_MEMORY_H
#define ASSAY_BASE_JSON_MEMORY_H

#include <stdbool.h>

void json_memory_watch(void); /* from now on, in this thread; the first call anywhere puts itself under jansson */
bool json_memory_ran_out(void); /* since this thread's last json_memory_watch() */

#endif
