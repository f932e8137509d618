#include "model/store/periods.h"

#define STALE "(d.status in ('open', 'awaiting_data') and d.progress_version <> d.facts_version)"

const struct statement PERIOD_BY_ID = {
        .name = "period_by_id",
        .sql = "select period_id, provider_id, body, md5(body), " STALE " from period d where period_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement PERIOD_RUNNING = {
        .name = "period_running",
        .sql = "select p.provider_id, d.period_id, coalesce(" STALE ", false) from provider p"
               " left join period d on d.running_of = p.provider_id"
               " where p.provider_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement PERIOD_LIST = {
        .name = "period_list",
        .sql = "select period_id, body from period d"
               " where provider_id = $1 and period_id < coalesce($2, 'prd_g') and ($4::text is null or stage = $4)"
               " and ($5::text is null or status = $5)"
               " order by period_id desc limit $3::integer",
        .params = 5,
};
