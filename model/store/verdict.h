/* A period judged: its decision's document as bytes. */
#ifndef ASSAY_MODEL_STORE_VERDICT_H
#define ASSAY_MODEL_STORE_VERDICT_H

#include "base/buf.h"
#include "base/sha256.h"
#include "model/store/gather.h"

enum { VERDICT_BYTES_MAX = 256 * 1024 * 1024 };

struct verdict {
	bool met;
	struct buf document; /* stands alone: model/rules/document.h */
	struct buf progress; /* the answer without its stores */
	struct buf gaps;     /* what is missing, as model/store/gaps.h writes it */
	struct buf forecast; /* at its present pace: model/rules/forecast.h */
	int32_t missing_bps; /* how far off that is */
	char sha256[SHA256_HEX]; /* of document */
};

enum verdict_form {
	VERDICT_DECISION, /* everything; its imports are to be gathered */
	VERDICT_PROGRESS, /* outcome, progress, gaps and forecast only */
	VERDICT_OUTCOME   /* met only */
};

/* False when the period cannot be judged (logged with why; that is never an outcome). Either way `out` is the caller's to free
 * with verdict_free(). */
bool verdict_of(const struct gathered_period *p, enum verdict_form form, struct verdict *out) __attribute__((warn_unused_result));
void verdict_free(struct verdict *v);

#endif
