/* Reads of the deposit. */
#ifndef ASSAY_MODEL_STORE_DEPOSIT_H
#define ASSAY_MODEL_STORE_DEPOSIT_H

#include "server/statement.h"

extern const struct statement DEPOSIT_BY_PROVIDER; /* by_keys: provider id; body */
/* $1 provider, $2 after, $3 limit+1, $4 kind or NULL. Columns: cursor, body. */
extern const struct statement DEPOSIT_ENTRY_LIST;

#endif
