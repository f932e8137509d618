/* Reads of the deposit, and payments that come together. */
#ifndef ASSAY_MODEL_STORE_DEPOSIT_H
#define ASSAY_MODEL_STORE_DEPOSIT_H

#include "server/statement.h"

extern const struct statement DEPOSIT_BY_PROVIDER; /* by_keys: provider id; body */
/* $1 provider, $2 as of which day or NULL, $3 known at which instant or NULL. Columns: provider id, body. */
extern const struct statement DEPOSIT_AS_OF;
/* $1 provider, $2 after, $3 limit+1, $4 kind or NULL. Columns: cursor, body. */
extern const struct statement DEPOSIT_ENTRY_LIST;
/* $1 provider, $2 and $3 the first and last effective day, or NULL. Columns: provider id, CSV. */
extern const struct statement DEPOSIT_STATEMENT;
/* Many payments together, in place of api_write() for each; what it takes of them beside their context. See request_write_together(). */
enum deposit_payment_column {
	DEPOSIT_PAYMENT_PROVIDER,
	DEPOSIT_PAYMENT_KIND,
	DEPOSIT_PAYMENT_AMOUNT, /* in fen */
	DEPOSIT_PAYMENT_EXTERNAL_REFERENCE,
	DEPOSIT_PAYMENT_REASON,
	DEPOSIT_PAYMENT_EFFECTIVE_ON,
	DEPOSIT_PAYMENT_COLUMNS
};
extern const struct statement DEPOSIT_PAYMENTS;

#endif
