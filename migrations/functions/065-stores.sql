-- Stores, as the platform describes them.

-- As it is today, or, when its history begins later, as it begins; and its versions, the latest 500.
create or replace function store_body(p_store_id text) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		v.store_id, v.name, v.registered_region, v.ship_from_regions, v.industry, v.category, v.status, v.valid_from,
		array(select row_to_json(h) from (
			select valid_from, name, registered_region, ship_from_regions, industry, category, status
			from store_version where store_id = v.store_id order by valid_from desc limit 500) h) as history
		from store_version v where v.store_id = p_store_id
		order by v.valid_from > assay_today(), abs(v.valid_from - assay_today()) limit 1) x
$$;

-- A partner sees a store that is or was bound to its provider (p_whose).
create or replace function store_visible(p_store_id text, p_whose text) returns boolean language sql stable as $$
	select p_whose is null or exists (select from binding where provider_id = p_whose and store_id = p_store_id)
$$;

-- A day's figures, with the import that brought them and when they took effect.
create or replace function store_day_body(p_store_id text, p_day date, p_orders bigint, p_gmv_fen bigint, p_import_id text) returns text
language sql stable as $$
	select row_to_json(x)::text from (select p_store_id as store_id, p_day as day, p_orders as orders, p_gmv_fen as gmv_fen,
		p_import_id as import_id, (select instant(m.at) from state_history h join moment m using (moment)
			where h.kind = 'import' and h.id = p_import_id) as recorded_at) x
$$;

-- A provider's stores, by id, each with its bindings to it and whether it counts in p_period (null: none runs). The verdicts are
-- the evaluator's, store by store.
create or replace function provider_store_list(p_provider text, after text, n integer, p_period text, p_as_of date, ids text[],
	counted boolean[], reasons text[]) returns table (cursor text, body text) language sql stable as $$
	with page as (
		select distinct b.store_id from binding b
		where b.provider_id = p_provider and b.store_id > coalesce(after, '')
		order by b.store_id limit n)
	select s.store_id, (select row_to_json(x)::text from (select
		s.store_id, v.name, v.registered_region, coalesce(v.ship_from_regions, '{}') as ship_from_regions, v.industry, v.category,
		v.status,
		array(select row_to_json(b) from (select bound_on, unbound_on from binding
			where provider_id = p_provider and store_id = s.store_id order by bound_on) b) as bindings,
		p_period as period_id, p_as_of as as_of,
		case when p_period is not null then coalesce(j.counted, false) end as counted,
		case when p_period is not null and j.counted is not true then coalesce(j.reason, 'not_new_in_period') end as reason) x)
	from page s
	left join lateral (select * from store_version where store_id = s.store_id and valid_from <= assay_today()
		order by valid_from desc limit 1) v on true
	left join unnest(ids, counted, reasons) j(id, counted, reason) on j.id = s.store_id
	order by s.store_id
$$;
