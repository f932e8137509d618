/* What stands in the way of something that is asked for: all of it is said at once. */
#ifndef ASSAY_MODEL_RULES_OBSTACLE_H
#define ASSAY_MODEL_RULES_OBSTACLE_H

#include "base/faults.h"
#include "base/json_write.h"
#include "model/rules/day.h"

#include <stddef.h>

struct obstacle {
	const char *code; /* "deduction_open" */
	const char *clause;
	const char *subject; /* the id of what stands in the way; borrowed */
	enum code detail; /* the catalogue's text */
	char on[DAY_TEXT]; /* its second argument, a day; empty when it takes none */
};

/* Writes `[{"code","clause","subject","detail"},...]`, details in the caller's language. */
void obstacles_json(struct json_writer *w, const struct obstacle *obstacles, size_t n, enum lang lang);

#endif
