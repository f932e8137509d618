-- Imports: what the four kinds share. The service stages a body's rows in temporary tables of its session as they arrive, has
-- them checked here, and lets them in by one merge under the facts lock, or refuses them.
--
-- A row is known by its line. Rows that turn out bad go to import_bad, (line, seq) its key; seq orders what is wrong with one
-- line: the columns first, then what only the database can tell.

create or replace function import_body(i import) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		i.import_id, i.kind, i.mode, case when i.status in ('receiving', 'applying') then 'running' else i.status end as status,
		(select row_to_json(r) from (select i.rows_received as received, i.rows_inserted as inserted, i.rows_changed as changed,
			i.rows_unchanged as unchanged, i.rows_rejected as rejected) r) as rows,
		i.watermark, i.complete_through, i.bytes_received, i.sha256, instant(i.started_at) as started_at,
		instant(i.finished_at) as finished_at) x
$$;

-- While an import runs its session holds this lock: who can take it knows that nobody works on it any more.
create or replace function import_lock_key(p_import_id text) returns bigint language sql immutable as $$
	select hashtextextended(p_import_id, 4244)
$$;

-- It ends with nothing applied, having come so far. One that ended already is left alone.
create or replace function import_fail(ctx jsonb, p_import_id text, bytes bigint, received bigint, rejected bigint) returns void
language plpgsql as $$
declare
	i import;
begin
	update import set status = 'failed', bytes_received = bytes, rows_received = received, rows_rejected = rejected,
		progressed_at = clock_timestamp(), finished_at = clock_timestamp()
		where import_id = p_import_id and status in ('receiving', 'applying') returning * into i;
	if found then
		perform audit_add(ctx, 'import.failed', i.import_id, '{"status": "running"}',
			import_audited(i) || jsonb_build_object('created_by', i.created_by));
	end if;
end $$;

-- Imports whose session is gone (the service was killed, the connection lost) failed: nothing of them was applied.
create or replace function import_sweep() returns bigint language plpgsql as $$
declare
	i record;
	n bigint := 0;
begin
	for i in select import_id, bytes_received, rows_received, rows_rejected from import
		where status in ('receiving', 'applying') order by import_id
	loop
		if pg_try_advisory_xact_lock(import_lock_key(i.import_id)) then
			perform import_fail(jsonb_build_object('request_id', i.import_id, 'key_id', 'system', 'key_name', 'cleaning up'), i.import_id,
				i.bytes_received, i.rows_received, i.rows_rejected);
			n := n + 1;
		end if;
	end loop;
	return n;
end $$;

create or replace function import_unstage() returns void language sql set client_min_messages = warning as $$
	drop table if exists pg_temp.import_stage, pg_temp.import_bad, pg_temp.import_binding, pg_temp.import_known,
		pg_temp.import_touched, pg_temp.import_touched_provider, pg_temp.import_changed, pg_temp.import_month_delta
$$;

-- Where a kind's rows wait.
create or replace function import_stage(p_kind text) returns void language plpgsql as $$
begin
	perform import_unstage();
	case p_kind
	when 'stores' then
		create temp table import_stage (line bigint, store_id text, name text, registered_region text, ship_from_regions text[],
			industry text, category text, status text, valid_from date);
	when 'bindings' then
		create temp table import_stage (line bigint, credit_code text, store_id text, bound_on date, unbound_on date);
	when 'store_days' then
		create temp table import_stage (line bigint, store_id text, day date, orders bigint, gmv_fen bigint);
	when 'exam_passes' then
		create temp table import_stage (line bigint, credit_code text, person_id text, passed_on date);
	end case;
	create temp table import_bad (line bigint not null, seq integer not null, column_name text, code text not null,
		args text[] not null, primary key (line, seq));
	-- what the merge changed, for the periods whose figures rest on it (see decisions_concerned())
	create temp table import_touched (store_id text, first_day date, last_day date, provider_id text);
	create temp table import_touched_provider (provider_id text, first_day date);
end $$;

-- Rows whose key stands earlier in the file: the same values again change nothing and are taken out (the answer is how many);
-- other values are bad. `keys` and `vals` are columns of import_stage.
create or replace function import_take_repeats(keys text, vals text) returns bigint language plpgsql as $$
declare
	n bigint;
begin
	execute format($q$
		with twice as (select %1$s from import_stage group by %1$s having count(*) > 1),
		again as (
			select s.line, row_number() over w as n, row(%2$s) is not distinct from first_value(row(%2$s)) over w as same
			from import_stage s join twice using (%1$s) window w as (partition by %1$s order by s.line)),
		bad as (
			insert into import_bad (line, seq, code, args) select line, 102, 'duplicate_row', '{}' from again where n > 1 and not same)
		delete from import_stage where line in (select line from again where n > 1 and same)$q$, keys, vals);
	get diagnostics n = row_count;
	return n;
end $$;

create or replace function import_check_stores_known() returns void language plpgsql as $$
begin
	insert into import_bad (line, seq, column_name, code, args)
		select line, 101, 'store_id', 'unknown_store', array[s.store_id] from import_stage s
		where not exists (select from store where store.store_id = s.store_id);
end $$;

create or replace function import_check_providers_known() returns void language plpgsql as $$
begin
	insert into import_bad (line, seq, column_name, code, args)
		select line, 100, 'credit_code', 'unknown_provider', array[s.credit_code] from import_stage s
		where not exists (select from provider where provider.credit_code = s.credit_code);
end $$;

-- Takes bad rows out of the stage; how many those were.
create or replace function import_take_bad() returns bigint language plpgsql as $$
declare
	n bigint := 0;
begin
	if exists (select from import_bad) then
		delete from import_stage where line in (select line from import_bad);
		get diagnostics n = row_count;
	end if;
	return n;
end $$;

do $$ begin
	create type import_checked as (bad bigint, repeated bigint);
	create type import_merged as (inserted bigint, changed bigint);
exception when duplicate_object then null; end $$;

-- ---- the end of an import ----

-- The first rows' faults, of a JSON array of {line, seq, column, code, args}.
create or replace function import_keep_errors(p_import_id text, errors jsonb) returns void language sql as $$
	insert into import_error (import_id, line, seq, column_name, code, args)
		select p_import_id, e.line, e.seq, e."column", e.code, e.args
		from jsonb_to_recordset(errors) as e (line bigint, seq integer, "column" text, code text, args text[])
$$;

-- A day's facts as store_month.days keeps them: 26 bytes, the day of the month, orders, gmv_fen and import_seq (model/store/gather_figures.c).
create or replace function store_day_packed(d store_day) returns bytea language sql immutable as $$
	select int2send(extract(day from d.day)::smallint) || int8send(d.orders) || int8send(d.gmv_fen) || int8send(d.import_seq)
$$;

-- Store-months in which a binding of the store begins or ends, but on the 1st: their days are asked for one by one.
create or replace function store_months_cut(first_day date, last_day date) returns table (store_id text, month date)
language sql stable as $$
	select distinct b.store_id, date_trunc('month', b.on_day)::date from (
		select binding.store_id, bound_on as on_day from binding where bound_on between first_day and last_day
		union all select binding.store_id, unbound_on from binding where unbound_on between first_day and last_day) b
	where extract(day from b.on_day) > 1
$$;

-- What store_month.days has to be, but for the order.
create or replace function store_month_days(p_store_id text, p_month date) returns bytea language sql stable as $$
	select coalesce(string_agg(store_day_packed(d), '' order by day), '') from store_day d
	where store_id = p_store_id and day >= p_month and day < (p_month + interval '1 month')::date and (orders > 0 or gmv_fen > 0)
$$;
create or replace function store_month_days_sorted(days bytea) returns bytea language sql immutable as $$
	select coalesce(string_agg(d, '' order by d), '') from (
		select substr(days, 26 * i + 1, 26) as d from generate_series(0, length(days) / 26 - 1) i) x
$$;

-- Keeps the days of those store-months that ended by `until` and have none kept: their figures changed after the roll-up, or the
-- binding came later than they did.
create or replace function import_keep_days(from_day date, until date) returns void language sql as $$
	update store_month m set days = store_month_days(m.store_id, m.month) from store_months_cut(from_day, until) c
	where m.store_id = c.store_id and m.month = c.month and m.days is null
$$;

-- The roll-up of the months that end after `before` (null: of all) and by `after`. With it the days that the year before lacks.
create or replace function import_roll_up(before date, after date) returns void language plpgsql as $$
declare
	m date;
	next date;
	rolled boolean := false;
begin
	for m in select to_date(right(c.relname, 6), 'YYYYMM') from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = 'store_day'::regclass order by 1 loop
		next := m + interval '1 month';
		if next - 1 <= after and (before is null or next - 1 > before) then
			execute format($q$insert into store_month select d.store_id, %1$L, sum(d.orders), sum(d.gmv_fen),
					case when bool_or(c.store_id is not null) then coalesce(string_agg(store_day_packed(d), '')
						filter (where c.store_id is not null and (d.orders > 0 or d.gmv_fen > 0)), '') end
				from store_day d left join store_months_cut(%1$L, %2$L) c using (store_id)
				where d.day >= %1$L and d.day < %2$L group by d.store_id
				on conflict (store_id, month) do update set orders = excluded.orders, gmv_fen = excluded.gmv_fen, days = excluded.days$q$,
				m, next);
			rolled := true;
		end if;
	end loop;
	if rolled then
		perform import_keep_days((date_trunc('month', after) - interval '1 year')::date, (date_trunc('month', after + 1) - interval '1 day')::date);
	end if;
end $$;

-- Moves the watermark forward; one that would go back stays. Answers what it was before.
create or replace function import_move_watermark(ctx jsonb, p_import_id text, through date) returns date language plpgsql as $$
declare
	before date;
begin
	select day into before from watermark for update;
	if through > before or (before is null and through is not null) then
		update watermark set day = through;
		insert into watermark_history (day, import_id) values (through, p_import_id);
		perform import_roll_up(before, through);
		perform audit_add(ctx, 'watermark.moved', 'watermark', jsonb_build_object('day', before),
			jsonb_build_object('day', through, 'import_id', p_import_id));
		perform event_add('watermark.moved', null, p_import_id, jsonb_build_object('from', before, 'to', through, 'import_id', p_import_id));
	end if;
	return before;
end $$;

-- Running periods whose figures may differ now: the watermark moved inside them, or what the import touched concerns them.
-- Of day facts only periods that share a day with [first_day, last_day].
create or replace function import_mark_stale(before date, after date, first_day date, last_day date) returns void
language plpgsql as $$
begin
	update period p set facts_version = facts_version + 1
	where p.status in ('scheduled', 'open', 'awaiting_data') and (
		(after is distinct from before and p.start_day <= after and p.end_day > coalesce(before, '-infinity'))
		or p.provider_id in (select provider_id from import_touched_provider)
		or (p.start_day <= coalesce(last_day, 'infinity') and p.end_day >= coalesce(first_day, '-infinity')
			and p.provider_id in (select b.provider_id from import_touched t join binding b using (store_id))));
end $$;

create or replace function import_audited(i import) returns jsonb language sql stable as $$
	select import_body(i)::jsonb - array['bytes_received', 'started_at', 'finished_at']
$$;

-- args: import_id, status, received, inserted, changed, unchanged, rejected, bytes, sha256, errors, complete_through?,
-- first_day?, last_day?. Answers the import as callers see it.
--
-- The watermark says that the figures up to it are complete. Where rows were refused they are not: it stays then.
create or replace function import_finish(ctx jsonb, args jsonb) returns text language plpgsql as $$
declare
	i import;
	before date;
	applied boolean := args->>'status' = 'applied';
begin
	if applied then
		before := import_move_watermark(ctx, args->>'import_id',
			case when (args->>'rejected')::bigint = 0 then (args->>'complete_through')::date end);
		perform import_mark_stale(before, (select day from watermark), (args->>'first_day')::date, (args->>'last_day')::date);
		perform import_mark_decisions(ctx, args->>'import_id', (select kind from import where import_id = args->>'import_id'));
	end if;
	perform import_keep_errors(args->>'import_id', args->'errors');
	update import set status = args->>'status', rows_received = (args->>'received')::bigint,
		rows_inserted = (args->>'inserted')::bigint, rows_changed = (args->>'changed')::bigint,
		rows_unchanged = (args->>'unchanged')::bigint, rows_rejected = (args->>'rejected')::bigint,
		bytes_received = (args->>'bytes')::bigint, sha256 = args->>'sha256', watermark = (select day from watermark),
		progressed_at = clock_timestamp(), finished_at = clock_timestamp()
		where import_id = args->>'import_id' returning * into strict i;
	perform audit_add(ctx, 'import.' || i.status, i.import_id, '{"status": "running"}', import_audited(i));
	perform event_add('import.' || i.status, null, i.import_id, import_audited(i));
	return import_body(i);
end $$;

-- What api_write() does at its end, for an import's answer: kept under the idempotency key, which the session that receives the
-- body holds, in the transaction of the merge, which may be another session's.
create or replace function import_answer(ctx jsonb, a_status integer, a_code text, a_args jsonb, a_extra json, a_body text,
	a_location text) returns written language plpgsql as $$
declare
	args text[] := (select array_agg(x order by n) from jsonb_array_elements_text(a_args) with ordinality t (x, n));
begin
	if ctx->>'idempotency_key' is not null and not (ctx->>'dry_run')::boolean then
		insert into idempotency_key (caller, key, request_sha256, request_id, lang, status, code, args, extra, body, location)
		values (actor_of(ctx), ctx->>'idempotency_key', ctx->>'request_sha256', ctx->>'request_id', ctx->>'lang',
			coalesce(a_status, 0), a_code, args, a_extra, a_body, a_location);
	end if;
	return row(a_status, a_code, args, null, a_extra, a_body, null, a_location, false, ctx->>'request_id', ctx->>'lang')::written;
end $$;
