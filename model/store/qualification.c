#include "model/store/qualification.h"

/* Today is assay_today()'s, written out: a call would be planned anew each time.
 * While an application may be made, the policy is the one it would be made under; later the newest that judges the period,
 * else the one that says the deposit. The stores are counted only where the answer needs it, from the provider's own bindings. */
const struct statement QUALIFICATION = {
        .name = "qualification",
        .sql = "with t as materialized (select coalesce((select today from clock), (now() at time zone 'Asia/Shanghai')::date) "
               "as today,"
               "  (select day from watermark) as watermark)"
               " select p.provider_id, p.status, p.since - date '1970-01-01', t.today - date '1970-01-01',"
               "  t.watermark - date '1970-01-01',"
               "  case when p.status in ('applied', 'admitted', 'trial', 'certified')"
               "   then coalesce(d.policies[cardinality(d.policies)], p.policy)"
               "   else (select policy_id || '@' || version from policy where industry = p.industry and status = 'published'"
               "    order by effective_from > t.today, abs(effective_from - t.today), policy_id limit 1) end,"
               "  p.balance_fen, p.held_fen, p.shortfall_since - date '1970-01-01', p.reapply_from - date '1970-01-01', p.reapply_cause,"
               "  w.waiver_id, w.expires_on - date '1970-01-01',"
               "  array_to_string(p.service_categories, ','),"
               "  d.period_id, d.stage, d.status, d.start_day - date '1970-01-01', d.end_day - date '1970-01-01', d.body, "
               "d.gaps, d.example,"
               "  d.status <> 'scheduled' and d.progress_version <> d.facts_version,"
               "  case when d.status <> 'scheduled' and coalesce(t.watermark, d.start_day - 1) < least(t.today - 1, d.end_day)"
               "   then (select sum(least(unbound_on, m.through + 1) - greatest(bound_on, m.since)) from binding," /* days bound */
               "     (select greatest(d.start_day, t.watermark + 1) as since, least(t.today - 1, d.end_day) as through) m"
               "    where provider_id = p.provider_id and bound_on <= m.through and (unbound_on is null or unbound_on > m.since)) end"
               " from t cross join provider p"
               " left join period d on d.running_of = p.provider_id"
               " left join lateral (select waiver_id, expires_on from waiver where p.reapply_from > t.today" /* waiver_in_force() */
               "   and provider_id = p.provider_id and kind = 'cooldown' and status = 'active' and expires_on >= t.today"
               "   and reapply_from = p.reapply_from order by expires_on desc, waiver_id desc limit 1) w on true"
               " where p.provider_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};
