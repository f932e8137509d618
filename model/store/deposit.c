#include "model/store/deposit.h"

const struct statement DEPOSIT_BY_PROVIDER = {
        .name = "deposit_by_provider",
        .sql = "select provider_id, deposit_body(provider_id) from provider where provider_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement DEPOSIT_ENTRY_LIST = {
        .name = "deposit_entry_list",
        .sql = "select seq, deposit_entry_body(e) from ledger_entry e"
               " where provider_id = $1 and ($2::bigint is null or seq < $2) and ($4::text is null or kind = $4)"
               "  and ledger_kind_listed(kind)"
               " order by seq desc limit $3::integer",
        .params = 4,
};
