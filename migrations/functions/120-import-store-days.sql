-- The merge of day facts, which are many. Two sessions share it: one staged the rows, checks and sorts them and sends them by
-- COPY; the other, in the one transaction that counts, takes them by COPY, which stores rows in half the time that
-- INSERT ... SELECT needs, and does the rest. See model/store/import_days.c.

-- ---- in the session that staged ----

-- Whether finding n rows by key is cheaper than reading all of store_day's rows of these days. (Measured: 4 us a row found by
-- key, 0.1 us a row read.)
create or replace function import_rather_by_key(n bigint, first_day date, last_day date) returns boolean language sql stable as $$
	select n * 40 < (last_day - first_day + 1) * (select greatest(reltuples, 1) from pg_class where oid = 'store'::regclass)
$$;

-- How staged rows are joined with what store_day has of these days is not left to the planner, who knows nothing of a temporary
-- table that was never analyzed, nor of days that came in today: row by row through the key, or all of these days by a hash.

create or replace function import_join_by_hash() returns void language sql as $$
	select set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true)
$$;
create or replace function import_join_any() returns void language sql as $$
	select set_config('enable_nestloop', 'on', true), set_config('enable_mergejoin', 'on', true)
$$;

-- Staged rows whose key store_day has already go to import_known, with what it has: only those that differ, or all.
-- Answers how many are there and how many differ.
create or replace function import_find_known(n bigint, first_day date, last_day date, keep_all boolean, out known bigint, out changed bigint)
language plpgsql as $$
declare
	found_by text := case when import_rather_by_key(n, first_day, last_day)
		then 'cross join lateral (select * from store_day d where d.store_id = s.store_id and d.day = s.day offset 0) d where'
		else 'join store_day d on d.store_id = s.store_id and d.day = s.day where' end;
begin
	if found_by like 'join%' then
		perform import_join_by_hash();
	end if;
	execute format('with j as materialized (
			select s.line, (s.orders, s.gmv_fen) is distinct from (d.orders, d.gmv_fen) as changed, d.orders, d.gmv_fen, d.import_seq
			from import_stage s %s d.day between %L and %L),
		k as (insert into import_known select * from j where j.changed or %L)
		select count(*), count(*) filter (where j.changed) from j', found_by, first_day, last_day, keep_all) into known, changed;
	perform import_join_any();
end $$;

-- Checks the staged rows and compares them with what store_day has. Afterwards import_stage has the good ones, and import_known
-- those of them that change a fact; and, where some rows are new and some not, those that change nothing too.
--   n        how many rows are staged, of days within [first_day, last_day]
--   ordered  they came in strictly rising order of their key, so that none can be there twice
--   trusted  store_day_loaded may be relied on: days that are not in it have no rows yet
create or replace function import_check_store_days(n bigint, first_day date, last_day date, ordered boolean, trusted boolean,
	out bad bigint, out repeated bigint, out known bigint, out changed bigint) language plpgsql as $$
declare
	lo date := first_day;
	hi date := last_day;
begin
	create temp table import_known (line bigint, changed boolean, orders bigint, gmv_fen bigint, import_seq bigint) on commit drop;
	repeated := case when ordered then 0 else import_take_repeats('store_id, day', 's.orders, s.gmv_fen') end;
	bad := import_take_bad();
	known := 0;
	changed := 0;
	if trusted then
		select min(day), max(day) into lo, hi from store_day_loaded where day between first_day and last_day;
	end if;
	n := n - repeated - bad;
	if lo is not null then
		select f.known, f.changed into known, changed from import_find_known(n, lo, hi, false) f;
	end if;
	if known < n then
		if known > 0 then
			truncate import_known;
			perform import_find_known(n, lo, hi, true);
		end if;
		perform import_check_stores_known(); -- of a known fact the store is known
		bad := bad + import_take_bad();
	end if;
end $$;

-- ---- in the session of the transaction ----

-- Makes the partition of a month, beside the readers of the others: attaching locks less than CREATE TABLE ... PARTITION OF.
create or replace function ensure_store_day_partition(of_day date) returns void language plpgsql as $$
declare
	m date := date_trunc('month', of_day);
	name text := 'store_day_' || to_char(m, 'YYYYMM');
begin
	if m < store_day_kept_from() then
		raise exception 'the figures of % were put away', to_char(m, 'YYYY-MM') using errcode = 'restrict_violation';
	end if;
	if to_regclass(name) is null then
		perform pg_advisory_xact_lock(4242, 2); -- the daily job and an import may make it at the same moment
	end if;
	if to_regclass(name) is null then
		execute format('create table %I (like store_day including all)', name);
		execute format('alter table store_day attach partition %I for values from (%L) to (%L)', name, m, (m + interval '1 month')::date);
	end if;
end $$;

-- Readies store_day for rows of these days; answers the import's number in it.
create or replace function import_open_store_days(p_import_id text, days date[]) returns bigint language plpgsql as $$
declare
	n bigint;
begin
	perform ensure_store_day_partition(m) from (select distinct date_trunc('month', d)::date as m from unnest(days) d) x;
	insert into store_day_loaded select unnest(days) on conflict do nothing;
	insert into import_ref (import_id) values (p_import_id) returning seq into n;
	insert into store_month_import select distinct date_trunc('month', d)::date, n from unnest(days) d;
	create temp table import_changed (store_id text, day date, orders bigint, gmv_fen bigint,
		old_orders bigint, old_gmv_fen bigint, old_import_seq bigint) on commit drop;
	create temp table import_month_delta (store_id text, month date, orders bigint, gmv_fen bigint) on commit drop;
	return n;
end $$;

-- What import_finish() looks at, in a session that staged nothing.
create or replace function import_touch_tables() returns void language plpgsql as $$
begin
	create temp table import_touched (store_id text) on commit drop;
	create temp table import_touched_provider (provider_id text) on commit drop;
end $$;

-- The first day that no roll-up holds: facts before it change the roll-up by their difference.
create or replace function rolled_up_until() returns date language sql stable as $$
	select date_trunc('month', day + 1)::date from watermark
$$;

-- Facts that changed: the earlier value goes to the history, the roll-up follows by the difference.
create or replace function import_apply_store_days(p_seq bigint) returns void language plpgsql as $$
declare
	n bigint;
	lo date;
	hi date;
	c record;
begin
	select count(*), min(day), max(day) into n, lo, hi from import_changed;
	insert into store_day_history
		select store_id, day, old_orders, old_gmv_fen, old_import_seq, p_seq from import_changed;
	if import_rather_by_key(n, lo, hi) then
		for c in select * from import_changed loop
			update store_day d set orders = c.orders, gmv_fen = c.gmv_fen, import_seq = p_seq
				where d.store_id = c.store_id and d.day = c.day;
		end loop;
	elsif n > 0 then
		perform import_join_by_hash();
		execute format('update store_day d set orders = c.orders, gmv_fen = c.gmv_fen, import_seq = %L
			from import_changed c where d.store_id = c.store_id and d.day = c.day and d.day between %L and %L', p_seq, lo, hi);
		perform import_join_any();
	end if;
	insert into store_month select store_id, month, orders, gmv_fen from import_month_delta
		on conflict (store_id, month) do update
		set orders = store_month.orders + excluded.orders, gmv_fen = store_month.gmv_fen + excluded.gmv_fen;
end $$;
