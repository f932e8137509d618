/* Simulations: a policy tried on periods that are decided, in the background, chunk by chunk. What they read is today's figures, and
 * what they write their own report alone. Who works on one holds an advisory lock on its id; where it has come to is kept with every
 * chunk, so that whoever finds one that nobody works on goes on from there. */
#ifndef ASSAY_MODEL_STORE_SIMULATIONS_H
#define ASSAY_MODEL_STORE_SIMULATIONS_H

#include "server/db.h"

/* $1 simulation_id: its body */
extern const struct statement SIMULATION_BY_ID;
/* $1 after, $2 limit+1, $3 status or NULL: id, body. Newest first. */
extern const struct statement SIMULATION_LIST;
/* $1 simulation_id, $2 after, $3 limit+1, $4 difference or NULL: period_id, body. By period. */
extern const struct statement SIMULATION_RESULT_LIST;

/* Works on every simulation that is not over and that nobody else works on, until `stopping` says so. */
enum db_status simulations_work(struct db *db, bool (*stopping)(void *arg), void *arg) __attribute__((warn_unused_result));

#endif
