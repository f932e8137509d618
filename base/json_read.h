/* The one strict JSON reader. Bytes become a jansson tree or faults; a tree becomes C values or faults. Nothing is guessed,
 * coerced or truncated: unknown and duplicate members, wrong types, numbers out of range, reals where integers belong,
 * invalid UTF-8 and U+0000 are all refused, each with its pointer, and all of them at once. */
#ifndef ASSAY_BASE_JSON_READ_H
#define ASSAY_BASE_JSON_READ_H

#include "base/faults.h"

#include <jansson.h>
#include <stdint.h>

enum json_verdict {
	JSON_OK,
	JSON_MALFORMED, /* not JSON at all: HTTP 400 */
	JSON_REFUSED,   /* JSON, but breaks a rule (duplicate member, NUL, too deep, UTF-8, number out of range): HTTP 422 */
	JSON_NO_MEMORY
};

enum { JSON_DEPTH_MAX = 32 };

/* Parses exactly one value, with nothing but white space after it. On JSON_OK *out is a new reference the caller owns;
 * otherwise *out is NULL and `faults` has what is wrong, with line and column in its arguments. */
enum json_verdict json_read(const char *data, size_t len, unsigned depth_max, json_t **out, struct faults *faults)
        __attribute__((warn_unused_result));

enum field_kind {
	FIELD_STRING,  /* out: const char **, borrowed from the tree. min..max counts Unicode code points */
	FIELD_INT,     /* out: int64_t *, min..max */
	FIELD_BOOL,    /* out: bool * */
	FIELD_DAY,     /* out: int32_t *, days since 1970-01-01 (see model/rules/day.h); "YYYY-MM-DD", a real date */
	FIELD_OBJECT,  /* out: json_t **, borrowed */
	FIELD_ARRAY,   /* out: json_t **, borrowed; min..max counts items */
	FIELD_ANY      /* out: json_t **, borrowed; any type */
};

/* One member of an object. `present`, when given, tells absent from there. A member that is `nullable` may be null: then
 * *out is left as it was and *present is false. Absent and optional: the same. */
struct field {
	const char *name;
	enum field_kind kind;
	void *out;
	bool required;
	bool nullable;
	bool *present;
	int64_t min, max; /* both 0: no bound (strings: 1..FIELD_STRING_MAX) */
};

enum { FIELD_STRING_MAX = 1000 };

/* Reads `obj` by a table of n fields; adds a fault for each problem at pointer + "/" + name. False when any was added.
 * `obj` that is not an object is one fault at `pointer`. */
bool json_fields(const json_t *obj, const char *pointer, const struct field *fields, size_t n, struct faults *faults)
        __attribute__((warn_unused_result));

/* Writes "pointer/name" or "pointer/index" into out (escaping ~ and /), cut at the size; returns out. */
const char *json_pointer(char *out, size_t size, const char *pointer, const char *name);
const char *json_pointer_at(char *out, size_t size, const char *pointer, size_t index);

#endif
