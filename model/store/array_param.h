/* PostgreSQL array literals as text parameters: many keys in one statement.
 *
 *   struct array_param ids = array_param(max_bytes);
 *   array_text(&ids, "s-1");  ...;  params[0] = array_done(&ids);  ...;  array_free(&ids); */
#ifndef ASSAY_MODEL_STORE_ARRAY_PARAM_H
#define ASSAY_MODEL_STORE_ARRAY_PARAM_H

#include "base/buf.h"

struct array_param {
	struct buf text;
};

enum { ARRAY_PARAM_MAX = 256 * 1024 * 1024 }; /* bytes of one literal; what is in it is bounded by its maker */

struct array_param array_param(void);
void array_int(struct array_param *a, int64_t v);
void array_bool(struct array_param *a, bool v);
void array_text(struct array_param *a, const char *s); /* NULL: SQL NULL */
/* The literal, borrowed. When there was no memory for it, a text that PostgreSQL refuses: NULL would be an array of nothing. */
const char *array_done(struct array_param *a);
void array_free(struct array_param *a);

#endif
