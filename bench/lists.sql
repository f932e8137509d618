-- Tables of :n rows each for bench/lists and tests/http/test_list_plans.py, as the database's superuser. Of what hangs on a provider one,
-- 'prv_0000000001', has a hundredth, the others share the rest. Most of the rows are alike in what lists are filtered by; the last kinds
-- of it are rare, and one is not there at all.
set client_min_messages = warning;
set session_replication_role = replica; -- the rows are made whole: no trigger has to see to that
set work_mem = '256MB';
begin;
create temp table many as select i, lpad(to_hex(i), 10, '0') as id,
	case when i % 100 = 0 then 1 else i end as whose, i % 1000 = 7 as rare from generate_series(1, :n) i;
insert into provider (provider_id, credit_code, name, service_categories, region, industry, main_category, status, since)
	select 'prv_' || id, 'C' || lpad(i::text, 17, '0'), case when rare then '湖北古玩服务商' else 'Provider ' end || i,
		'{practical_assistance}', case when rare then '420106' else (array['110000', '310000', '440000', '510100'])[i % 4 + 1] end,
		case when i % 50 = 3 then 'books' else 'antiques_art' end, 'antiques_art', case when rare then 'revoked' when i % 3 = 0 then 'certified'
		else 'trial' end, '2023-03-01' from many;
insert into application (application_id, provider_id, status, policy_id, policy_version, documents, deposit_fen, deposit_policy, example,
		checks, submitted_on, decided_on)
	select 'app_' || id, 'prv_' || lpad(to_hex(whose), 10, '0'), case when rare then 'withdrawn' else 'approved' end, 'antiques-art', '2023-04-26',
		'[]', 2000000, 'antiques-art@2023-04-26', true, '[]', '2023-03-01', '2023-03-05' from many;
insert into ledger_entry (provider_id, seq, entry_id, kind, amount_fen, available_change_fen, held_change_fen, platform_change_fen, balance_fen,
		held_fen, external_reference, reason, effective_on, recorded_by)
	select 'prv_0000000001', i, 'ent_' || id, case when rare then 'deduction' else 'payment' end, 1, 1, 0, -1, i, 0,
		case when not rare then id end, 'x', '2023-04-01', 'key_bench' from many;
insert into refund (refund_id, provider_id, status, requested_fen, amount_fen, reason, requested_on, requested_by, ended_on)
	select 'rfd_' || id, 'prv_' || lpad(to_hex(whose), 10, '0'), 'failed', 1, 1, 'x', '2023-04-01', 'key_bench', '2023-04-02' from many;
insert into waiver (waiver_id, provider_id, kind, reason, reapply_from, reapply_cause, expires_on, proposed_by, proposed_on)
	select 'wvr_' || id, 'prv_' || lpad(to_hex(whose), 10, '0'), 'cooldown', 'x', '2023-08-01', 'revoked', '2023-07-01', 'key_bench', '2023-04-01'
	from many;
insert into store select 's-' || id from many;
insert into store_version (store_id, valid_from, name, registered_region, ship_from_regions, industry, category, status, import_id)
	select 's-' || id, '2022-01-01', id, '420106', '{420100}', 'antiques_art', 'antiques_art', 'normal', 'imp_0' from many;
insert into binding (provider_id, store_id, bound_on, import_id)
	select 'prv_' || lpad(to_hex(whose), 10, '0'), 's-' || id, '2023-04-01', 'imp_0' from many;
insert into period (period_id, provider_id, application_id, stage, number, start_day, end_day, scheduled_end, status, policies, forecast,
		missing_bps, progress_version) -- one that runs for each provider
	select 'prd_' || id, 'prv_' || lpad(to_hex(whose), 10, '0'), 'app_' || id, case when rare then 'trial' else 'regular' end, i, '2023-04-01',
		'2023-06-30', '2023-06-30', case when whose = i then 'open' else 'cancelled' end, '{antiques-art@2023-04-26}',
		'{"as_of":"2023-05-15","policy":"antiques-art@2023-04-26","met":false,"missing_bps":1,"criteria":[{"measure":"new_stores","clause":"3.2",'
		'"alternative": null,"month": null,"by":"2023-06-30","needed":10,"projected":9,"missing":5,"met":false,"missing_bps":1}]}', i % 10000, 1
	from many;
select ensure_store_day_partition(('2020-01-01'::date + make_interval(months => m))::date) from generate_series(0, 35) m;
insert into import_ref (seq, import_id) overriding system value select i, 'imp_' || id from many where i = 1;
insert into moment (at) values ('2023-01-01');
insert into state_history (kind, id, moment, was) select 'import', 'imp_0000000001', max(moment), '{}' from moment;
insert into store_day (store_id, day, orders, gmv_fen, import_seq) select 's-0000000001', '2020-01-01'::date + i, 1, 1, 1 from generate_series(0, 1000) i;
insert into import (import_id, kind, mode, status, sha256, created_by)
	select 'imp_' || id, case when rare then 'exam_passes' else 'store_days' end, 'atomic', case when rare then 'rejected' else 'applied' end, lpad(id, 64, '0'),
		'key_bench' from many;
insert into import_error (import_id, line, seq, column_name, code, args)
	select 'imp_' || lpad(to_hex(i / 1000 + 1), 10, '0'), i, 0, null, 'duplicate_row', '{}' from many;
insert into assessment_run (run_id, as_of, dry_run, status, created_by)
	select 'run_' || id, '2023-06-30', false, case when rare then 'failed' else 'done' end, 'key_bench' from many;
insert into assessment_run_result (run_id, period_id, provider_id, outcome)
	select 'run_0000000001', 'prd_' || id, 'prv_' || id, case when rare then 'awaiting_data' else 'met' end from many;
insert into decision (decision_id, provider_id, period_id, outcome, decided_on, document, evidence, sha256, engine)
	select 'dec_' || id, 'prv_' || lpad(to_hex(whose), 10, '0'), 'prd_' || id, case when rare then 'not_met' else 'met' end, '2023-07-01', '{}', '{}',
		repeat('0', 64), 'bench' from many;
insert into correction (correction_id, decision_id, provider_id, period_id, status, reason, outcome, document, sha256, evaluation_sha256, engine,
		changes, proposed_by, proposed_on, decided_by, decided_on)
	select 'cor_' || id, 'dec_' || id, 'prv_' || lpad(to_hex(whose), 10, '0'), 'prd_' || id, case when rare then 'withdrawn' else 'rejected' end, 'x',
		'met', '{}', repeat('0', 64), repeat('0', 64), 'bench', '[]', 'key_bench', '2023-07-01', 'key_other', '2023-07-02' from many;
insert into appeal (appeal_id, decision_id, provider_id, status, reason, documents, submitted_by, submitted_on, answered_by, answered_on)
	select 'apl_' || id, 'dec_' || id, 'prv_' || lpad(to_hex(whose), 10, '0'), case when rare then 'open' else 'withdrawn' end, 'x', '[]', 'key_bench',
		'2023-07-01', case when not rare then 'key_bench' end, case when not rare then '2023-07-02'::date end from many;
insert into simulation (simulation_id, policy, document, sha256, industry, example, from_day, through_day, stages, created_by, status, finished_at)
	select 'sim_' || id, 'antiques-art@2023-04-26', p.document, p.sha256, 'antiques_art', true, '2023-04-01', '2023-06-30', '{trial}', 'key_bench',
		case when rare then 'failed' else 'done' end, now() from many, (select document, sha256 from policy limit 1) p;
insert into simulation_result (simulation_id, period_id, provider_id, decision_id, difference, criteria)
	select 'sim_0000000001', 'prd_' || id, 'prv_' || lpad(to_hex(whose), 10, '0'), 'dec_' || id, case when rare then 'would_fail' else 'would_pass' end,
		'[]' from many;
insert into api_key (key_id, actor_id, hash, prefix, name, role)
	select 'key_' || id, 'key_' || id, sha256(id::bytea), left(id, 8), id, 'auditor' from many;
insert into audit (at, request_id, actor_id, actor_name, action, subject, provider_id, after)
	select '2023-01-01'::timestamptz + i * interval '5 seconds', id, case when rare then 'key_0000000001' else 'system' end, 'bench',
		case when i % 5000 = 9 then 'run.created' else 'provider.updated' end, 'prv_' || lpad(to_hex(whose), 10, '0'),
		'prv_' || lpad(to_hex(whose), 10, '0'), '{"a": 1}' from many;
update provider p set body = provider_body(p);
update period d set body = period_body(d);
commit;
vacuum (analyze) provider, application, ledger_entry, refund, waiver, store, store_version, binding, period, import, import_error,
	assessment_run, assessment_run_result, decision, correction, appeal, simulation, simulation_result, store_day, api_key, audit;
