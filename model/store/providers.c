#include "model/store/providers.h"

const struct statement PROVIDER_BY_ID = {
        .name = "provider_by_id",
        .sql = "select provider_id, body, 'v' || version from provider where provider_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement PROVIDER_EXISTS = {
        .name = "provider_exists",
        .sql = "select provider_id from provider where provider_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement PROVIDER_LIST = {
        .name = "provider_list",
        .sql = "select cursor, body from provider_list($1, $2::integer, $3, $4, $5, $6, $7)",
        .params = 7,
        .slow = true,
};
