/* The stores of an evaluation request: their JSON to arrays that are allocated once, for all stores. Used by
 * evaluation_read.c only. */
#ifndef ASSAY_MODEL_RULES_STORE_READ_H
#define ASSAY_MODEL_RULES_STORE_READ_H

#include "base/faults.h"
#include "model/rules/evaluation.h"
#include "model/rules/store_keys.h"

#include <jansson.h>

struct store_facts {
	struct evaluation_store *stores;
	size_t store_count;
	struct binding *bindings; /* of all stores, as are those below; each store has its stretch */
	size_t binding_count;
	region *regions;
	size_t region_count;
	struct day_fact *days;
	size_t day_count;
	struct month_fact *months;
	size_t month_count;
	struct store_key *keys; /* room for the longest list of any store */
};

/* Room for everything in `array`. False: out of memory. */
bool store_facts_init(struct store_facts *facts, const json_t *array) __attribute__((warn_unused_result));
void store_facts_free(struct store_facts *facts);

bool store_read(struct store_facts *facts, size_t index, const json_t *json, const char *pointer, struct faults *faults)
        __attribute__((warn_unused_result));
/* No store_id twice; to be asked once all were read. */
bool stores_differ(struct store_facts *facts, const char *pointer, struct faults *faults) __attribute__((warn_unused_result));
bool store_months_may_stand(const struct evaluation_store *store, const char *pointer, day evaluated_on,
                            struct faults *faults) __attribute__((warn_unused_result));

bool region_read(const char *text, const char *pointer, region *out, struct faults *faults) __attribute__((warn_unused_result));

#endif
