#include "model/store/deposit.h"

#include "server/request.h"

const struct statement DEPOSIT_BY_PROVIDER = {
        .name = "deposit_by_provider",
        .sql = "select provider_id, deposit_body(provider_id) from provider where provider_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement DEPOSIT_AS_OF = {
        .name = "deposit_as_of",
        .sql = "select provider_id, deposit_body_as_of(provider_id, $2::date, $3::timestamptz) from provider where provider_id "
               "= $1",
        .params = 3,
        .slow = true,
};

/* The cursor is the entry's place in its provider's ledger; what is none leads past the end. */
const struct statement DEPOSIT_ENTRY_LIST = {
        .name = "deposit_entry_list",
        .sql = "select cursor, body from deposit_entry_list($1, $2, $3::integer, $4)",
        .params = 4,
};

const struct statement DEPOSIT_STATEMENT = {
        .name = "deposit_statement",
        .sql = "select provider_id, deposit_statement(provider_id, $2::date, $3::date) from provider where provider_id = $1",
        .params = 3,
        .slow = true,
};

const struct statement DEPOSIT_PAYMENTS = {
        .name = "deposit_payments",
        .sql = "select " API_WRITE_COLUMNS ", done from deposit_payments($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) order by n",
        .params = CONTEXT_COLUMNS + DEPOSIT_PAYMENT_COLUMNS,
};
