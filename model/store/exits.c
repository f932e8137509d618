#include "model/store/exits.h"

const struct statement EXIT_SNAPSHOT = {
        .name = "exit_snapshot",
        .sql = "select p.provider_id, p.version, p.status, to_json(array(select entry_id from deduction_open($1))),"
               " to_json(array(select refund_id from refund_running($1))), d.period_id, d.status, d.end_day - date "
               "'1970-01-01',"
               " t.today - date '1970-01-01', t.today::text"
               " from provider p cross join (select assay_today() as today) t"
               " left join period d on d.running_of = p.provider_id"
               " where p.provider_id = $1",
        .params = 1,
};
