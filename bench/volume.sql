-- What bench/closing and bench/import start from, made in SQL, the same at every run. psql variables: providers; stores (of each);
-- first, last (the days for which there are figures). Each provider is in its trial from 2023-04-01 to 2023-06-30. Nine of ten
-- stores were bound on a day within a month of it, the others on a 1st; one in ten was unbound again, and half of those came
-- back. Orders rise over the year and fall on weekdays. The roll-up has the months that ended by the watermark.
set client_min_messages = warning;
set jit = off;
set work_mem = '256MB';
begin;
select setseed(0.42);
insert into provider (provider_id, credit_code, name, service_categories, region, industry, main_category, since)
	select 'prv_' || lpad(to_hex(i), 8, '0'), '914201' || lpad(i::text, 12, '0'), 'Provider ' || i, '{practical_assistance}', '420000',
		'antiques_art', 'antiques_art', '2023-03-01' from generate_series(1, :providers) i;
insert into provider_status (provider_id, seq, status, since) select provider_id, 1, 'registered', since from provider;
insert into application (application_id, provider_id, status, policy_id, policy_version, documents, deposit_fen, deposit_policy, example,
		checks, submitted_on, decided_on)
	select replace(provider_id, 'prv', 'app'), provider_id, 'approved', 'antiques-art', '2023-04-26', '[]', 2000000,
		'antiques-art@2023-04-26', true, '[]', '2023-03-01', '2023-03-05' from provider;
update provider set status = 'applied', application_id = replace(provider_id, 'prv', 'app');
update provider set status = 'admitted';
update provider set status = 'trial', since = '2023-04-01', balance_fen = 2000000;
insert into period (period_id, provider_id, application_id, stage, number, start_day, end_day, scheduled_end, status, policies)
	select replace(provider_id, 'prv', 'prd'), provider_id, application_id, 'trial', 1, '2023-04-01', '2023-06-30', '2023-06-30', 'open',
		'{antiques-art@2023-04-26}' from provider;
insert into exam_pass select provider_id, 'p-' || k, '2023-04-20', 'imp_0' from provider, generate_series(1, 2) k;

create temp table made as
	select 's-' || lpad(n::text, 8, '0') as store_id, 'prv_' || lpad(to_hex((n - 1) / :stores + 1), 8, '0') as provider_id, n,
		'2023-04-01'::date + case when random() < 0.1 then 0 else (random() ^ 1.5 * 75)::integer end as bound_on, random() as fate,
		(10 + random() * 40)::integer as pace
	from generate_series(1, :providers * :stores) n order by n;
insert into store select store_id from made;
insert into store_version (store_id, valid_from, name, registered_region, ship_from_regions, industry, category, status, import_id)
	select store_id, '2022-01-01', 'Store ' || n, '420106', '{420100}', 'antiques_art', 'antiques_art', 'normal', 'imp_0' from made;
insert into binding (provider_id, store_id, bound_on, unbound_on, import_id)
	select provider_id, store_id, bound_on, case when fate < 0.1 then bound_on + 6 end, 'imp_0' from made
	union all
	select provider_id, store_id, bound_on + 12, null, 'imp_0' from made where fate < 0.05;

select ensure_store_day_partition(m::date) from generate_series(date_trunc('month', :'first'::date), :'last'::date, '1 month') m;
insert into store_day_loaded select d::date from generate_series(:'first'::date, :'last'::date, '1 day') d;
insert into import (import_id, kind, mode, status, created_by) values ('imp_0', 'store_days', 'atomic', 'applied', 'bench');
insert into import_ref (import_id) values ('imp_0');
-- a night lies together, as imports write it
insert into store_day (store_id, day, orders, gmv_fen, import_seq)
	select store_id, d::date, o, o * (3000 + (n * 7919 + extract(doy from d)::integer * 104729) % 9000), 1
	from generate_series(:'first'::date, :'last'::date, '1 day') d, made,
		lateral (select (pace * (1 + extract(doy from d) / 200) * case when extract(isodow from d) < 6 then 0.8 else 1.4 end
			* (0.6 + (n * 31 + extract(doy from d)::integer * 17) % 80 / 100.0))::bigint as o) x
	order by d, store_id collate "C";
update watermark set day = :'last'::date;
select import_roll_up(null, :'last'::date);
commit;
vacuum (freeze, analyze) provider, provider_status, application, period, exam_pass, store, store_version, binding, store_day, store_month;
