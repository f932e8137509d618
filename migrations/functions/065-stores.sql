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
