/* The keys of one list of a store's facts, so that repeats and overlaps are found by sorting once. */
#ifndef ASSAY_MODEL_RULES_STORE_KEYS_H
#define ASSAY_MODEL_RULES_STORE_KEYS_H

#include "base/faults.h"
#include "model/rules/day.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_key {
	day from, to;   /* half-open where it is a span */
	uint32_t index; /* in the request's list */
};

/* Both sort the keys by `from`. False: a fault was added at pointer/index for every key ... */
bool store_keys_differ(struct store_key *keys, size_t n, const char *pointer, struct faults *faults)
        __attribute__((warn_unused_result)); /* ... whose `from` an earlier one has */
bool store_keys_apart(struct store_key *keys, size_t n, const char *pointer, struct faults *faults)
        __attribute__((warn_unused_result)); /* ... that reaches into another */

/* The key from that day among sorted ones, or NULL. */
const struct store_key *store_keys_find(const struct store_key *keys, size_t n, day from);

#endif
