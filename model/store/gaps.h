/* What a running period still lacks, kept beside its progress in a form that costs next to nothing to read: the hottest read
 * needs it. First the evaluation day, then a line a gap:
 *   <measure> <at_least> <gap> <month> <length of clause> <length of alternative> <clause> <alternative>
 * with days as days since 1970-01-01, "-" for no month, and -1 for no alternative. */
#ifndef ASSAY_MODEL_STORE_GAPS_H
#define ASSAY_MODEL_STORE_GAPS_H

#include "base/buf.h"
#include "model/rules/measures.h"

void gaps_write(struct buf *out, day evaluated_on, const struct criterion_gap *gaps, size_t n);

/* Reads in place: the gaps' strings point into `text`, which is changed. False when it is not what gaps_write() writes. */
bool gaps_read(char *text, day *evaluated_on, struct criterion_gap gaps[REQUIREMENT_NODES], size_t *n)
        __attribute__((warn_unused_result));

#endif
