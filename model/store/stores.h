/* Reads of stores. */
#ifndef ASSAY_MODEL_STORE_STORES_H
#define ASSAY_MODEL_STORE_STORES_H

#include "server/statement.h"

/* $1 store, $2 the provider that it must be or have been bound to, or NULL: any. Columns: body. No row: no such store. */
extern const struct statement STORE_BY_ID;

/* The same parameters. A row when there is such a store. */
extern const struct statement STORE_VISIBLE;

/* $1 store, $2 after (a day), $3 limit+1, $4 and $5 the first and last day or NULL, $6 the provider to which it must have been bound on the
 * day, or NULL: any. Columns: cursor, body. */
extern const struct statement STORE_DAY_LIST;

/* The stores ever bound to a provider, by id, with a verdict beside each: $1 provider, $2 after, $3 limit+1, $4 the period or
 * NULL, $5 the day on which it was judged, $6 store ids, $7 counted, $8 reasons (arrays of one length; a store that is not
 * among them is not new in the period). Columns: cursor, body. */
extern const struct statement PROVIDER_STORE_LIST;

/* $1 provider. Columns: its running period, and the evaluation day as days since 1970-01-01. No row: none runs, or the
 * watermark has not reached it. */
extern const struct statement PERIOD_COUNTING;

#endif
