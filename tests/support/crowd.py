"""Providers by the thousand, put straight into the tables: a trial of each ended on 2023-06-30, and the figures are complete up to
then. Every other provider has ten stores that meet metric 1; the others have none."""

BULK = """
insert into provider (provider_id, credit_code, name, service_categories, region, industry, main_category, since)
	select 'prv_' || to_hex(i), '914201' || lpad(i::text, 12, '0'), 'Bulk ' || i, '{{practical_assistance}}', '420000', 'antiques_art',
		'antiques_art', '2023-03-01' from generate_series(1, {n}) i;
insert into application (application_id, provider_id, status, policy_id, policy_version, documents, deposit_fen, deposit_policy, example,
		checks, submitted_on, decided_on)
	select 'app_' || to_hex(i), 'prv_' || to_hex(i), 'approved', 'antiques-art', '2023-04-26', '[]', 2000000, 'antiques-art@2023-04-26', true,
		'[]', '2023-03-01', '2023-03-05' from generate_series(1, {n}) i;
update provider set status = 'applied', application_id = replace(provider_id, 'prv', 'app');
update provider set status = 'admitted';
update provider set status = 'trial', since = '2023-04-01';
insert into provider_status (provider_id, seq, status, since) select provider_id, 1, status, since from provider;
insert into period (period_id, provider_id, application_id, stage, number, start_day, end_day, scheduled_end, status, policies)
	select 'prd_' || to_hex(i), 'prv_' || to_hex(i), 'app_' || to_hex(i), 'trial', 1, '2023-04-01', '2023-06-30', '2023-06-30', 'open',
		'{{antiques-art@2023-04-26}}' from generate_series(1, {n}) i;
insert into store select 's-' || i || '-' || k from generate_series(1, {n}, 2) i, generate_series(1, 10) k;
insert into store_version (store_id, valid_from, name, registered_region, ship_from_regions, industry, category, status, import_id)
	select store_id, '2023-01-01', store_id, '420106', '{{420100}}', 'antiques_art', 'antiques_art', 'normal', 'imp_00' from store where store_id like 's-%-%';
insert into binding (provider_id, store_id, bound_on, import_id)
	select 'prv_' || to_hex(split_part(store_id, '-', 2)::integer), store_id, '2023-04-01', 'imp_00' from store where store_id like 's-%-%';
insert into store_month select store_id, m, 100, 500000 from store, unnest(array['2023-04-01', '2023-05-01', '2023-06-01']::date[]) m
	where store_id like 's-%-%';
insert into exam_pass select 'prv_' || to_hex(i), 'p-' || k, '2023-04-20', 'imp_00' from generate_series(1, {n}) i, generate_series(1, 2) k;
update watermark set day = '2023-06-30';
"""
