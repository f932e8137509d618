/* The schema's history: numbered SQL, applied once, in order, under a lock and checked by checksum; and the functions, which are
 * re-created whenever one of them changed. The binary carries both. */
#ifndef ASSAY_MODEL_STORE_MIGRATE_H
#define ASSAY_MODEL_STORE_MIGRATE_H

#include "server/db.h"

#include <stdbool.h>

/* Brings the schema up to date, telling each step. False, with the reason told, when a migration failed, when an applied one is
 * not the one this binary carries, or when the schema is newer than this binary knows. */
bool migrate(struct db *db, void (*tell)(const char *line)) __attribute__((warn_unused_result));

#endif
