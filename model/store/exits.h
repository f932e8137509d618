/* The snapshot on which an exit is decided. */
#ifndef ASSAY_MODEL_STORE_EXITS_H
#define ASSAY_MODEL_STORE_EXITS_H

#include "server/statement.h"

/* From one instant. Days are days since 1970-01-01. */
enum exit_column {
	EXIT_PROVIDER,
	EXIT_VERSION, /* the provider's: the write takes place only if it is still this one */
	EXIT_STATUS,
	EXIT_OPEN_DEDUCTIONS, /* ids, a JSON array */
	EXIT_RUNNING_REFUNDS, /* the same */
	EXIT_PERIOD, /* running or scheduled; NULL, as what follows: none */
	EXIT_PERIOD_STATUS,
	EXIT_PERIOD_END,
	EXIT_TODAY,
	EXIT_TODAY_TEXT
};
/* $1 provider. One row, or none. */
extern const struct statement EXIT_SNAPSHOT;

#endif
