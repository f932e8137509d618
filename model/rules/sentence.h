/* What an evaluation came to, in plain sentences of both languages: one for the whole and one for each criterion. They stand in
 * decisions' documents and are part of their format (document.h): they depend on nothing but the evaluation, and never change.
 * Another wording is another format; hence they are here and not in the catalogue, whose texts may change. */
#ifndef ASSAY_MODEL_RULES_SENTENCE_H
#define ASSAY_MODEL_RULES_SENTENCE_H

#include "base/buf.h"
#include "base/faults.h"
#include "model/rules/evaluation.h"

/* "Trial from 2023-04-01 to 2023-06-30, judged as of 2023-06-30 under antiques-art@2023-04-26: met." */
void sentence_of_evaluation(struct buf *out, const struct evaluation *e, enum lang lang);

/* "New stores: 7; clause 3.2 asks for at least 10: not met, 3 missing." `node`: a criterion of the stage's requirement. */
void sentence_of_criterion(struct buf *out, const struct evaluation *e, const struct policy_result *result, size_t node,
                           enum lang lang);

#endif
