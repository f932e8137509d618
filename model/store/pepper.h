/* The pepper: 32 random bytes that the hashes of API keys are keyed with (server/api_key.h). By default it is made at the first
 * start and kept in the database; a file keeps it apart from the hashes and their backups. */
#ifndef ASSAY_MODEL_STORE_PEPPER_H
#define ASSAY_MODEL_STORE_PEPPER_H

#include "server/api_key.h"
#include "server/db.h"

#include <stdbool.h>

/* `file`: 64 hex digits, or NULL: the database's. The first time that a file is given which has the database's pepper, that is
 * removed from the database. False, with the reason told, when the file is no good, or the pepper is not the one that this
 * database's keys were hashed with: then none of them would work any more. */
bool setup_pepper(struct db *db, const char *file, unsigned char pepper[PEPPER_BYTES], void (*tell)(const char *line))
        __attribute__((warn_unused_result));

#endif
