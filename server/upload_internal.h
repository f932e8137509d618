/* The loop's side of an upload; see server/upload.h for the worker's. */
#ifndef ASSAY_SERVER_UPLOAD_INTERNAL_H
#define ASSAY_SERVER_UPLOAD_INTERNAL_H

#include "server/upload.h"

#include <stdbool.h>

/* `room` is called on the worker's thread, at most once for each time upload_put() took less than it was given. */
struct upload *upload_new(void (*room)(void *arg), void *arg);
void upload_free(struct upload *u);
/* How many bytes were taken; fewer than n: wait for `room`. */
size_t upload_put(struct upload *u, const char *data, size_t n);
void upload_complete(struct upload *u);
void upload_abort(struct upload *u);
void upload_drop_rest(struct upload *u); /* the worker is done with it: the rest is taken and thrown away */

#endif
