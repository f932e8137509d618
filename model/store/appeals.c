#include "model/store/appeals.h"

const struct statement APPEAL_BY_ID = {
        .name = "appeal_by_id",
        .sql = "select appeal_id, provider_id, appeal_body(a), appeal_etag(a) from appeal a where appeal_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement APPEAL_LIST = {
        .name = "appeal_list",
        .sql = "select cursor, body from appeal_list($1, $2::integer, $3, $4, $5::boolean, $6, $7)",
        .params = 7,
        .slow = true,
};
