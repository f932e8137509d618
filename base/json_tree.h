/* Writes a jansson tree with the one JSON writer: members in the tree's order (that of the text it was read from), no white
 * space. What json_read() gave and this wrote reads as an equal tree again. */
#ifndef ASSAY_BASE_JSON_TREE_H
#define ASSAY_BASE_JSON_TREE_H

#include "base/json_write.h"

#include <jansson.h>

void jw_tree(struct json_writer *w, const json_t *value); /* no deeper than JSON_WRITE_DEPTH leaves; NULL writes null */
void jw_ktree(struct json_writer *w, const char *key, const json_t *value);

#endif
