/* One chunk of a simulation: read in one snapshot, judged, and its results kept, in one transaction. */
#ifndef ASSAY_MODEL_STORE_SIMULATION_CHUNK_H
#define ASSAY_MODEL_STORE_SIMULATION_CHUNK_H

#include "model/rules/policy.h"
#include "server/db.h"

struct simulation_chunk {
	const char *simulation_id;
	const struct policy *policy; /* as it is tried */
	size_t looked_at; /* out: how many periods; 0: it is at its end */
};

enum db_status simulation_chunk_run(struct db *db, struct simulation_chunk *chunk) __attribute__((warn_unused_result));

#endif
