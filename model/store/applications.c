#include "model/store/applications.h"

const struct statement APPLICATION_BY_ID = {
        .name = "application_by_id",
        .sql = "select application_id, provider_id, application_body(a), 'v' || version from application a"
               " where application_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement APPLICATION_LIST = {
        .name = "application_list",
        .sql = "select application_id, application_body(a) from application a"
               " where provider_id = $1 and application_id < coalesce($2, 'app_g') and ($4::text is null or status = $4)"
               " order by application_id desc limit $3::integer",
        .params = 4,
};

#define SNAPSHOT_COLUMNS                                                                                                       \
	"p.provider_id, p.version, p.status, p.industry, array_to_string(p.service_categories, ','), p.reapply_from - date "   \
	"'1970-01-01', p.reapply_cause, w.waiver_id, w.expires_on - date '1970-01-01',"                                        \
	" (select application_id from application o where o.provider_id = p.provider_id and o.status = 'submitted'),"          \
	" t.today - date '1970-01-01', t.today::text, policy_ref(y.policy_id, y.version), y.industry, y.document"

#define SNAPSHOT_WAIVER " left join lateral waiver_in_force(p) w on w.waiver_id is not null"

const struct statement ADMISSION_OF_PROVIDER = {
        .name = "admission_of_provider",
        .sql = "select " SNAPSHOT_COLUMNS ", null, null"
               " from provider p cross join (select assay_today() as today) t"
               " left join lateral policy_of(coalesce($2, policy_for_industry(p.industry, t.today))) y on y.policy_id is not "
               "null" SNAPSHOT_WAIVER
               " where p.provider_id = $1",
        .params = 2,
};

const struct statement ADMISSION_OF_APPLICATION = {
        .name = "admission_of_application",
        .sql = "select " SNAPSHOT_COLUMNS ", a.status, a.documents"
               " from application a join provider p using (provider_id) cross join (select assay_today() as today) t"
               " join policy y on y.policy_id = a.policy_id and y.version = a.policy_version" SNAPSHOT_WAIVER
               " where a.application_id = $1",
        .params = 1,
};
