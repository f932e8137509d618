-- The merge of the kinds that are small: stores, bindings, exam passes. Each has a check, which finds the bad rows and takes
-- them and repeats out of the stage, and an apply, which lets in what is left.

-- ---- stores: key (store_id, valid_from) ----
create or replace function import_check_stores(atomic boolean) returns import_checked language plpgsql as $$
declare
	r import_checked;
begin
	r.repeated := import_take_repeats('store_id, valid_from',
		's.name, s.registered_region, s.ship_from_regions, s.industry, s.category, s.status');
	r.bad := import_take_bad();
	return r;
end $$;

create or replace function import_apply_stores(p_import_id text) returns import_merged language plpgsql as $$
declare
	r import_merged;
begin
	insert into store select distinct store_id from import_stage s
		where not exists (select from store where store.store_id = s.store_id);
	create temp table import_changed on commit drop as
		select s.line from import_stage s join store_version v using (store_id, valid_from)
		where (s.name, s.registered_region, s.ship_from_regions, s.industry, s.category, s.status)
			is distinct from (v.name, v.registered_region::text, v.ship_from_regions, v.industry, v.category, v.status);
	get diagnostics r.changed = row_count;
	insert into store_version_history
		select v.store_id, v.valid_from, v.name, v.registered_region, v.ship_from_regions, v.industry, v.category, v.status, v.import_id,
			v.recorded_at, p_import_id, clock_timestamp()
		from import_changed join import_stage s using (line) join store_version v using (store_id, valid_from);
	with c as (
		update store_version v set name = s.name, registered_region = s.registered_region, ship_from_regions = s.ship_from_regions,
			industry = s.industry, category = s.category, status = s.status, import_id = p_import_id, recorded_at = clock_timestamp()
		from import_changed join import_stage s using (line)
		where v.store_id = s.store_id and v.valid_from = s.valid_from returning v.store_id, v.valid_from),
	n as (
		insert into store_version
			select store_id, valid_from, name, registered_region, ship_from_regions, industry, category, status, p_import_id, clock_timestamp()
			from import_stage s
			where not exists (select from store_version v where v.store_id = s.store_id and v.valid_from = s.valid_from)
		returning store_id, valid_from),
	t as (insert into import_touched (store_id, first_day) select store_id, valid_from from c union all select store_id, valid_from from n)
	select count(*) into r.inserted from n;
	return r;
end $$;

-- ---- bindings: key (provider, store_id, bound_on) ----

-- What the table would be once the staged rows are in; `line` only where a staged row says it.
create or replace function import_bindings_after() returns table (line bigint, provider_id text, store_id text, bound_on date, span daterange)
language plpgsql as $$
begin
	return query
	select i.line, i.provider_id, i.store_id, i.bound_on, daterange(i.bound_on, i.unbound_on) from import_binding i
	union all
	select null, b.provider_id, b.store_id, b.bound_on, daterange(b.bound_on, b.unbound_on) from binding b
		where (b.provider_id, b.store_id) in (select i.provider_id, i.store_id from import_binding i)
		and not exists (select from import_binding i
			where i.provider_id = b.provider_id and i.store_id = b.store_id and i.bound_on = b.bound_on);
end $$;

-- One look for overlaps, line by line: a row is bad when it overlaps a standing binding, or one of an earlier line that is not
-- bad itself.
create or replace function import_take_overlaps() returns bigint language plpgsql as $$
declare
	n bigint := 0;
	bad record;
begin
	create temp table import_clash on commit drop as
		select distinct x.line, x.provider_id, x.store_id, x.bound_on, x.span from import_bindings_after() x
		join import_bindings_after() y using (provider_id, store_id)
		where x.line is not null and x.bound_on <> y.bound_on and x.span && y.span and (y.line is null or y.line < x.line);
	for bad in select x.line, x.provider_id, x.store_id, x.bound_on, x.span from import_clash x order by x.line loop
		insert into import_bad (line, seq, column_name, code, args)
			select bad.line, 103, 'bound_on', 'overlaps', array[y.bound_on || '/' || coalesce(y.unbound_on::text, '..')]
			from (
				select i.bound_on, i.unbound_on from import_binding i
				where i.provider_id = bad.provider_id and i.store_id = bad.store_id and i.line < bad.line
				union all
				select b.bound_on, b.unbound_on from binding b
				where b.provider_id = bad.provider_id and b.store_id = bad.store_id
					and not exists (select from import_binding i where i.provider_id = b.provider_id and i.store_id = b.store_id
						and i.bound_on = b.bound_on)) y
			where y.bound_on <> bad.bound_on and bad.span && daterange(y.bound_on, y.unbound_on)
			order by y.bound_on limit 1;
		if found then
			delete from import_binding where line = bad.line;
			n := n + 1;
		end if;
	end loop;
	drop table import_clash;
	return n;
end $$;

-- A change that is refused leaves its binding as it was, which other rows may overlap then: per row, look until none does.
create or replace function import_check_bindings(atomic boolean) returns import_checked language plpgsql as $$
declare
	r import_checked;
begin
	perform import_check_providers_known();
	perform import_check_stores_known();
	r.repeated := import_take_repeats('credit_code, store_id, bound_on', 's.unbound_on');
	r.bad := import_take_bad();
	create temp table import_binding on commit drop as
		select s.line, p.provider_id, s.store_id, s.bound_on, s.unbound_on from import_stage s join provider p using (credit_code);
	loop
		exit when import_take_overlaps() = 0 or atomic;
	end loop;
	r.bad := r.bad + import_take_bad();
	return r;
end $$;

create or replace function import_apply_bindings(p_import_id text) returns import_merged language plpgsql as $$
declare
	r import_merged;
begin
	insert into binding_history
		select b.provider_id, b.store_id, b.bound_on, b.unbound_on, b.import_id, b.recorded_at, p_import_id, clock_timestamp()
		from import_binding i join binding b using (provider_id, store_id, bound_on)
		where i.unbound_on is distinct from b.unbound_on;
	with c as (
		update binding b set unbound_on = i.unbound_on, import_id = p_import_id, recorded_at = clock_timestamp()
		from import_binding i join binding o using (provider_id, store_id, bound_on)
		where b.provider_id = i.provider_id and b.store_id = i.store_id and b.bound_on = i.bound_on
			and i.unbound_on is distinct from b.unbound_on
		returning b.provider_id, b.store_id, least(o.unbound_on, b.unbound_on) as first_day, -- of the days bound before or now
			greatest(coalesce(o.unbound_on, 'infinity'), coalesce(b.unbound_on, 'infinity')) as last_day),
	n as (
		insert into binding select provider_id, store_id, bound_on, unbound_on, p_import_id, clock_timestamp() from import_binding i
			where not exists (select from binding b
				where b.provider_id = i.provider_id and b.store_id = i.store_id and b.bound_on = i.bound_on)
		returning provider_id, store_id, bound_on as first_day, coalesce(unbound_on, 'infinity') as last_day),
	t as (insert into import_touched (provider_id, store_id, first_day, last_day) select * from c union all select * from n)
	select (select count(*) from n), (select count(*) from c) into r;
	return r;
end $$;

-- ---- exam passes: all of it is the key ----
create or replace function import_check_exam_passes(atomic boolean) returns import_checked language plpgsql as $$
declare
	r import_checked;
begin
	perform import_check_providers_known();
	r.repeated := import_take_repeats('credit_code, person_id, passed_on', 's.passed_on');
	r.bad := import_take_bad();
	return r;
end $$;

create or replace function import_apply_exam_passes(p_import_id text) returns import_merged language plpgsql as $$
declare
	r import_merged;
begin
	with n as (
		insert into exam_pass select p.provider_id, s.person_id, s.passed_on, p_import_id, clock_timestamp()
			from import_stage s join provider p using (credit_code)
			on conflict do nothing
		returning provider_id, passed_on),
	t as (insert into import_touched_provider select provider_id, passed_on from n)
	select count(*), 0 into r from n;
	return r;
end $$;
