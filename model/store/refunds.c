#include "model/store/refunds.h"

const struct statement REFUND_BY_ID = {
        .name = "refund_by_id",
        .sql = "select refund_id, provider_id, refund_body(r), 'v' || version from refund r where refund_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement REFUND_LIST = {
        .name = "refund_list",
        .sql = "select refund_id, refund_body(r) from refund r"
               " where provider_id = $1 and refund_id < coalesce($2, 'rfd_g') and ($4::text is null or status = $4)"
               " order by refund_id desc limit $3::integer",
        .params = 4,
};
