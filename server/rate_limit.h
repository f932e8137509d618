/* How many requests a second a caller may send: a token bucket each, shared by all loops of this process. In memory that is
 * bounded whatever callers do. */
#ifndef ASSAY_SERVER_RATE_LIMIT_H
#define ASSAY_SERVER_RATE_LIMIT_H

#include <stdint.h>

enum { RATE_BURST_SECONDS = 2 }; /* a full bucket holds what flows in meanwhile */

struct rate_limits;
struct rate_limits *rate_limits_new(void); /* NULL when out of memory */
void rate_limits_free(struct rate_limits *limits);

/* Takes a token from the bucket of `id` (any 64 bits that spread well), into which `per_second` (> 0) flow. 0: taken; else
 * none is there, and one will be in that many microseconds. From any thread. */
int64_t rate_limits_take(struct rate_limits *limits, uint64_t id, unsigned per_second, int64_t now_us);

#endif
