#include "model/store/corrections.h"

const struct statement CORRECTION_BY_ID = {
        .name = "correction_by_id",
        .sql = "select correction_id, provider_id, correction_body(c, true), 'v' || version from correction c"
               " where correction_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement CORRECTION_LIST = {
        .name = "correction_list",
        .sql = "select cursor, body from correction_list($1, $2::integer, $3, $4, $5, $6)",
        .params = 6,
        .slow = true,
};

const struct statement CORRECTION_SNAPSHOT = {
        .name = "correction_snapshot",
        .sql = "select c.status, c.decision_id, c.evaluation_sha256, p.status, v.provider_id, v.status, v.application_id,"
               "  v.application_id = p.application_id,"
               "  exists (select from provider_exit x where x.provider_id = v.provider_id"
               "   and x.recorded_at > (select min(decided_at) from decision d where d.period_id = p.period_id)),"
               "  policy_admission(policy_of(p.policies[cardinality(p.policies)]), 'service_categories')::jsonb"
               "   <@ to_jsonb(v.service_categories::text[]),"
               "  to_json(array(select l.period_id from period l where l.provider_id = v.provider_id"
               "   and l.application_id <> p.application_id and l.created_at > p.created_at"
               "   and l.status not in ('scheduled', 'cancelled') order by l.start_day)),"
               "  to_json(array(select refund_id from refund_running(v.provider_id)))"
               " from correction c join period p on p.period_id = c.period_id join provider v on v.provider_id = c.provider_id"
               " where c.correction_id = $1",
        .params = 1,
};

const struct statement CORRECTION_LAPSE = {
        .name = "correction_lapse",
        .sql = "select correction_lapse(c, $2::jsonb) from correction c where correction_id = $1",
        .params = 2,
};
