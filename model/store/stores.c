#include "model/store/stores.h"

const struct statement STORE_BY_ID = {
        .name = "store_by_id",
        .sql = "select b from (select case when store_visible($1, $2) then store_body($1) end as b) x where b is not null",
        .params = 2,
};

const struct statement STORE_VISIBLE = {
        .name = "store_visible",
        .sql = "select $1 where exists (select from store_version where store_id = $1) and store_visible($1, $2)",
        .params = 2,
};

const struct statement STORE_DAY_LIST = {
        .name = "store_day_list",
        .sql = "select d.day, store_day_body(d.store_id, d.day, d.orders, d.gmv_fen, r.import_id) from store_day d"
               " left join import_ref r on r.seq = d.import_seq"
               " where d.store_id = $1 and d.day between coalesce($4::date, '-infinity') and coalesce($5::date, 'infinity')"
               "  and d.day < coalesce($2::date, 'infinity')"
               "  and ($6::text is null or exists (select from binding b where b.provider_id = $6 and b.store_id = d.store_id"
               "   and b.bound_on <= d.day and (b.unbound_on is null or b.unbound_on > d.day)))"
               " order by d.day desc limit $3::integer",
        .params = 6,
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
