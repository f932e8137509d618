/* Array literals of PostgreSQL, appended to a buffer item by item: {"a","b\"c",NULL}. */
#ifndef ASSAY_BASE_ARRAY_LITERAL_H
#define ASSAY_BASE_ARRAY_LITERAL_H

#include "base/buf.h"

void array_literal_item(struct buf *out); /* what comes before an item's own text: the first of an empty buffer opens */
void array_literal_text(struct buf *out, const char *s); /* a whole item; NULL: SQL NULL */
void array_literal_end(struct buf *out);

#endif
