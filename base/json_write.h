/* Writes JSON onto a buffer: commas and quoting are taken care of, order is the caller's, no white space is added, so that
 * the same calls give the same bytes. Strings must be valid UTF-8; control characters, '"' and '\' are escaped, nothing else. */
#ifndef ASSAY_BASE_JSON_WRITE_H
#define ASSAY_BASE_JSON_WRITE_H

#include "base/buf.h"

enum { JSON_WRITE_DEPTH = 32 };

struct json_writer {
	struct buf *out;
	unsigned depth;
	bool first[JSON_WRITE_DEPTH];
	bool after_key;
};

struct json_writer json_writer_on(struct buf *out);
void jw_object(struct json_writer *w); /* { */
void jw_object_end(struct json_writer *w);
void jw_array(struct json_writer *w); /* [ */
void jw_array_end(struct json_writer *w);
void jw_key(struct json_writer *w, const char *key);
void jw_string(struct json_writer *w, const char *s); /* NULL writes null */
void jw_string_n(struct json_writer *w, const char *s, size_t n);
void jw_int(struct json_writer *w, int64_t v);
void jw_bool(struct json_writer *w, bool v);
void jw_null(struct json_writer *w);
void jw_raw(struct json_writer *w, const char *json, size_t n); /* one whole value, already JSON */

/* key and value at once */
void jw_kstring(struct json_writer *w, const char *key, const char *s);
void jw_kint(struct json_writer *w, const char *key, int64_t v);
void jw_kbool(struct json_writer *w, const char *key, bool v);
void jw_knull(struct json_writer *w, const char *key);
void jw_kraw(struct json_writer *w, const char *key, const char *json); /* NULL writes null */

#endif
