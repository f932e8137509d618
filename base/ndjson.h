/* A streaming reader of newline-delimited JSON: bytes go in, in pieces of any size; each line is read by json_read() and comes
 * out as a value or as what is wrong with it. Lines end in LF or CRLF; the last one need not end. Blank lines and a UTF-8
 * byte order mark at the start are skipped. */
#ifndef ASSAY_BASE_NDJSON_H
#define ASSAY_BASE_NDJSON_H

#include "base/json_read.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NDJSON_LINE_MAX = 64 * 1024 /* bytes, without the line end */ };

struct ndjson_row {
	uint64_t line; /* from 1 */
	json_t *value; /* borrowed until the callback returns; NULL in a bad row */
	struct faults *faults; /* what is wrong with it; lines in them are the stream's. The callback may add to them */
};

typedef bool (*ndjson_row_fn)(void *arg, const struct ndjson_row *row); /* false: stop reading */

enum ndjson_status { NDJSON_GO_ON, NDJSON_STOPPED /* by the callback */, NDJSON_NO_MEMORY };

struct ndjson;
struct ndjson *ndjson_new(ndjson_row_fn fn, void *arg); /* NULL when out of memory */
void ndjson_free(struct ndjson *r);

/* Anything but NDJSON_GO_ON is final: later calls answer the same and do nothing. */
enum ndjson_status ndjson_feed(struct ndjson *r, const char *p, size_t n) __attribute__((warn_unused_result));
enum ndjson_status ndjson_end(struct ndjson *r) __attribute__((warn_unused_result));

#endif
