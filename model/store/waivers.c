#include "model/store/waivers.h"

const struct statement WAIVER_BY_ID = {
        .name = "waiver_by_id",
        .sql = "select waiver_id, provider_id, waiver_body(w), waiver_etag(w) from waiver w where waiver_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement WAIVER_LIST = {
        .name = "waiver_list",
        .sql = "select waiver_id, waiver_body(w) from waiver w"
               " where provider_id = $1 and waiver_id < coalesce($2, 'wvr_g')"
               " and ($4::text is null or waiver_status(w) = $4)"
               " order by waiver_id desc limit $3::integer",
        .params = 4,
};
