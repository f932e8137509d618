/* A request body of any size on its way to a worker: the loop puts pieces in as they arrive and suspends the connection when
 * the buffer is full; the worker takes them out. Memory is the buffer's, whatever the body's size. */
#ifndef ASSAY_SERVER_UPLOAD_H
#define ASSAY_SERVER_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

struct request;
struct upload;

enum { UPLOAD_BUFFER_BYTES = 256 * 1024 };

struct upload *request_upload(struct request *rq); /* of a BODY_STREAM operation, inside its work function */

/* Blocks until there are bytes. > 0: that many were copied; 0: the body is complete; -1: the caller went away, or the service
 * stops: give up and roll back. */
long upload_read(struct upload *u, void *out, size_t size);

/* Reads and drops what is left, so that an answer can be sent. */
void upload_drain(struct upload *u);

#endif
