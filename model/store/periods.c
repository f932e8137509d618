#include "model/store/periods.h"

#include "model/store/progress.h"

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

const struct statement PERIOD_TO_TRY = {
        .name = "period_to_try",
        .sql = "select d.period_id, p.status, d.start_day - date '1970-01-01', case when d.status in ('open', 'awaiting_data')"
               "  then (" RUNNING_AS_OF ") when d.status = 'converted' then (x.document::json->>'as_of')::date else d.end_day end - date '1970-01-01',"
               " d.policies[cardinality(d.policies)], d.stage from provider p left join lateral (select * from period d"
               "  where d.provider_id = p.provider_id and d.status not in ('scheduled', 'cancelled') and ($2::text is null or d.period_id = $2)"
               "  order by d.start_day desc limit 1) d on true left join decision x on x.decision_id = d.decision_id where p.provider_id = $1",
        .params = 2,
};
