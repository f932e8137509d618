#include "model/store/stores.h"

const struct statement STORE_BY_ID = {
        .name = "store_by_id",
        .sql = "select b from (select case when store_visible($1, $2) then store_body($1) end as b) x where b is not null",
        .params = 2,
};

const struct statement PROVIDER_STORE_LIST = {
        .name = "provider_store_list",
        .sql = "select cursor, body from provider_store_list($1, $2, $3::integer, $4, $5::date, $6::text[], $7::boolean[], "
               "$8::text[])",
        .params = 8,
};

const struct statement PERIOD_COUNTING = {
        .name = "period_counting",
        .sql = "select period_id, as_of - date '1970-01-01', as_of::text from ("
               "  select d.period_id, case when (select day from watermark) >= d.start_day"
               "    then least((select day from watermark), assay_today(), d.end_day)"
               "    else greatest(least(assay_today(), d.end_day - 1), d.start_day) end as as_of" /* as model/store/progress.c has it */
               "  from period d where d.provider_id = $1 and d.status in ('open', 'awaiting_data')) x",
        .params = 1,
};
