#include "model/store/periods.h"

#define STALE "(d.status in ('open', 'awaiting_data') and d.progress_version <> d.facts_version)"

const struct statement PERIOD_BY_ID = {
        .name = "period_by_id",
        .sql = "select period_id, provider_id, r, md5(r), " STALE " from period d cross join lateral period_read(d) r where period_id = any($1::text[])",
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
        .sql = "select period_id, period_read(d) from period d"
               " where provider_id = $1 and ($2::text is null or period_id < $2) and ($4::text is null or stage = $4)"
               " and ($5::text is null or status = $5)"
               " order by period_id desc limit $3::integer",
        .params = 5,
};

const struct statement PERIOD_MISSING_LIST = {
        .name = "period_missing_list",
        .sql = "select cursor, body from period_missing_list($1, $2, $3::integer)",
        .params = 3,
        .slow = true, /* a provider may have very many stores */
};

const struct statement AT_RISK_LIST = {
        .name = "at_risk_list",
        .sql = "select cursor, body from at_risk_list($1, $2::integer, $3::boolean, $4, $5, $6)",
        .params = 6,
        .slow = true,
};
