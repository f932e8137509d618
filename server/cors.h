/* Which web pages of other origins may read answers: cross-origin resource sharing (Fetch, 3.2), for the origins configured. */
#ifndef ASSAY_SERVER_CORS_H
#define ASSAY_SERVER_CORS_H

#include <stdbool.h>

struct cors;
/* Reads a list of origins, separated by commas: "https://operations.example,http://localhost:5173". *out is NULL when there is
 * none; else it is never changed again, and shared by all loops. False, with the reason in the log, when one is no origin. */
bool cors_new(const char *origins, struct cors **out) __attribute__((warn_unused_result));
void cors_free(struct cors *cors);

#endif
