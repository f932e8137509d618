/* Small vocabularies: a table of lower_snake words, where a word's index is its enum's value. */
#ifndef ASSAY_MODEL_RULES_WORDS_H
#define ASSAY_MODEL_RULES_WORDS_H

#include "base/faults.h"

#include <jansson.h>
#include <stdbool.h>

/* Lower snake: a-z 0-9 _, begins with a letter, at most 64. */
bool word_valid(const char *text);

/* The index of `name` among n words (at most 32), or -1. */
int word_index(const char *const *words, int n, const char *name);

/* The index of `name`, or -1 with a fault invalid_value that lists them. */
int word_read(const char *name, const char *pointer, const char *const *words, int n, struct faults *faults);

/* Reads an array of words, each at most once, as bits 1u << index. The array's length is the caller's to check. */
bool word_set_read(const json_t *array, const char *pointer, const char *const *words, int n, unsigned *bits,
                   struct faults *faults) __attribute__((warn_unused_result));

#endif
