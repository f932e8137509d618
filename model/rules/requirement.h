/* What a stage requires: a tree of all/any over criteria, kept flat in preorder, so that a result is an array beside it. */
#ifndef ASSAY_MODEL_RULES_REQUIREMENT_H
#define ASSAY_MODEL_RULES_REQUIREMENT_H

#include "base/faults.h"
#include "base/json_write.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUIREMENT_DEPTH = 8, REQUIREMENT_NODES = 64 };

enum measure {
	MEASURE_NEW_STORES,
	MEASURE_NEW_STORE_GMV_FEN,
	MEASURE_FIRST_MONTH_ORDERS,
	MEASURE_MONTHLY_ORDER_GROWTH, /* the only one measured in basis points */
	MEASURE_EXAM_PASSES,
	MEASURES
};

const char *measure_name(enum measure m); /* "new_stores" */
bool measure_by_name(const char *name, enum measure *out);

enum { GROWTH_BPS_MAX = 1000000 }; /* at_least_bps: 0..1,000,000 (a hundredfold) */

enum node_kind { NODE_ALL, NODE_ANY, NODE_CRITERION };

struct node {
	enum node_kind kind;
	const char *name;     /* NULL: unnamed */
	uint8_t end;          /* index just past this node's last descendant; a child's next sibling is its `end` */
	enum measure measure; /* NODE_CRITERION only, as are the two below */
	int64_t at_least;     /* 0..FIGURE_MAX; for growth the basis points, 0..GROWTH_BPS_MAX */
	const char *clause;
};

/* nodes[0] is the root; a group's first child follows it. Strings are borrowed from the JSON it was read from. */
struct requirement {
	struct node nodes[REQUIREMENT_NODES];
	size_t len;
};

/* Reads a tree; faults at pointers below `pointer`. False when any was added. A group has at least one member, and exactly
 * one of "all" and "any"; a criterion has "measure", "clause" and "at_least" (growth: "at_least_bps"). "name" is optional
 * on every node. */
bool requirement_read(const json_t *json, const char *pointer, struct requirement *out, struct faults *faults)
        __attribute__((warn_unused_result));
void requirement_write(struct json_writer *w, const struct requirement *r);
void requirement_write_at(struct json_writer *w, const struct requirement *r, size_t at); /* the node at that index, whole */

#endif
