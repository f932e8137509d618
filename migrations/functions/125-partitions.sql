-- The partitions of store_day, one a month: made ahead, and put away once nothing can need them any more.

-- The first day whose figures are still taken and kept here; null: nothing was put away yet.
create or replace function store_day_kept_from() returns date language sql stable as $$
	select (max(month) + interval '1 month')::date from store_day_detached
$$;

-- Makes what is missing from today's month on to n months ahead; how many. While an import makes one it is left to the next time.
create or replace function store_day_ahead(n integer) returns integer language plpgsql as $$
declare
	m date;
	made integer := 0;
begin
	for m in select date_trunc('month', assay_today()) + i * interval '1 month' from generate_series(0, n) i loop
		if to_regclass('store_day_' || to_char(m, 'YYYYMM')) is null then
			if not pg_try_advisory_xact_lock(4242, 2) then
				return made;
			end if;
			perform ensure_store_day_partition(m);
			made := made + 1;
		end if;
	end loop;
	return made;
end $$;

-- Why the figures of a month cannot be put away; null: they can.
create or replace function store_day_kept_because(m date) returns text language plpgsql stable as $$
declare
	p record;
begin
	if m > date_trunc('month', assay_today()) - interval '37 months' then
		return 'it is one of the last 36 whole months';
	end if;
	if coalesce((select day from watermark), '-infinity') < m + interval '1 month' - interval '1 day' then
		return 'the figures are not complete up to its end';
	end if;
	select period_id, status into p from period
		where status in ('scheduled', 'open', 'awaiting_data') and start_day < m + interval '1 month' and end_day >= m
		order by period_id limit 1;
	if found then
		return format('period %s, which covers it, is %s', p.period_id, p.status);
	end if;
	select d.decision_id into p from period d left join decision_review r using (decision_id)
		where d.decision_id is not null and d.start_day < m + interval '1 month' and d.end_day >= m
			and (r.differs is distinct from false and r.decision_id is not null or period_reopen_until(d) >= assay_today())
		order by d.period_id limit 1;
	if found then
		return format('decision %s, which rests on it, may still be corrected', p.decision_id);
	end if;
	return null;
end $$;

create or replace function store_day_partitions() returns table (month date, name text, attached boolean, n bigint, bytes bigint, because text)
language sql stable as $$
	select to_date(right(c.relname, 6), 'YYYYMM'), c.relname::text, true, greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid),
		store_day_kept_because(to_date(right(c.relname, 6), 'YYYYMM'))
	from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'store_day'::regclass
	union all
	select d.month, d.table_name, false, d.n, pg_total_relation_size(to_regclass(d.table_name)), null from store_day_detached d
	order by 1
$$;

-- Takes the oldest month away from store_day, if it is before `before`. Its table stays, whole, as a table of its own; what comes in for
-- its days from now on is refused. No figures come in meanwhile and nothing is closed: the facts lock. One row: the month and
-- why it stays (null: it went); no row: there is none.
create or replace function store_day_detach_oldest(before date) returns table (month date, n bigint, because text) language plpgsql as $$
declare
	o record;
begin
	perform pg_advisory_xact_lock(4242, 1);
	select * into o from store_day_partitions() p where p.attached and p.month < before order by p.month limit 1;
	if not found then
		return;
	end if;
	month := o.month;
	because := o.because;
	if because is null then
		execute format('select count(*) from %I', o.name) into n;
		execute format('alter table store_day detach partition %I', o.name);
		insert into store_day_detached (month, table_name, n) values (o.month, o.name, n);
		perform audit_add(jsonb_build_object('request_id', 'command-line', 'key_id', 'system', 'key_name', 'assayd partitions'),
			'store_days.detached', o.name, jsonb_build_object('attached', true), jsonb_build_object('attached', false, 'rows', n));
	end if;
	return next;
end $$;

-- The other way: the newest of those that were put away is one of store_day's again. No row: there is none.
create or replace function store_day_attach_newest() returns table (month date, n bigint) language plpgsql as $$
declare
	d store_day_detached;
begin
	perform pg_advisory_xact_lock(4242, 1);
	delete from store_day_detached x where x.month = (select max(y.month) from store_day_detached y) returning * into d;
	if not found then
		return;
	end if;
	execute format('alter table store_day attach partition %I for values from (%L) to (%L)', d.table_name, d.month,
		(d.month + interval '1 month')::date);
	perform audit_add(jsonb_build_object('request_id', 'command-line', 'key_id', 'system', 'key_name', 'assayd partitions'),
		'store_days.attached', d.table_name, jsonb_build_object('attached', false), jsonb_build_object('attached', true, 'rows', d.n));
	month := d.month;
	n := d.n;
	return next;
end $$;
