/* What the files of a decision's document share; nobody else includes this. */
#ifndef ASSAY_MODEL_RULES_DOCUMENT_INTERNAL_H
#define ASSAY_MODEL_RULES_DOCUMENT_INTERNAL_H

#include "model/rules/document.h"

struct document_content {
	const struct evaluation_input *in;
	const struct evaluation *e;
	const struct document_origin *origin;
	const char *engine;
};

struct document_format {
	const char *name;
	void (*write)(struct buf *out, const struct document_content *c);
};

struct document_engine {
	const char *name;
	bool (*run)(const struct evaluation_input *in, struct evaluation *out, struct faults *faults);
};

/* NULL: not one that this service knows. */
const struct document_format *document_format_named(const char *name);
const struct document_engine *document_engine_named(const char *name);

/* Adds a fault for everything in `said` that `found` has otherwise, in the order of `said`. False when there is any. */
bool document_agrees(const json_t *said, const json_t *found, struct faults *faults) __attribute__((warn_unused_result));

#endif
