-- Periods: how they are scheduled, begin and follow each other. Locks are always taken provider first, then period.

create or replace function period_body(d period) returns text language plpgsql stable as $$
begin
	return (select row_to_json(x)::text from (select
		d.period_id, d.provider_id, d.stage, d.number, d.start_day as start, d.end_day as "end", d.scheduled_end,
		d.status, d.policies, d.example, d.decision_id, d.progress::json as progress, d.forecast::json as forecast) x);
end $$;

create or replace function period_keep_body() returns trigger language plpgsql as $$
begin
	new.example := exists (select from policy y, unnest(new.policies) r
		where y.policy_id = split_part(r, '@', 1) and y.version = split_part(r, '@', 2) and y.example);
	if new.status not in ('open', 'awaiting_data') then -- it was decided, or is no more
		new.forecast := null;
		new.missing_bps := null;
	end if;
	new.body := period_body(new);
	return new;
end $$;
-- Not for facts_version and progress_version: an import changes those of every running period, and the body has neither.
create or replace trigger z_body before insert or update of provider_id, stage, number, start_day, end_day, scheduled_end, status, policies,
	decision_id, progress on period for each row execute function period_keep_body();

-- What follows takes columns and not a row, since it is read of periods as they were known at an instant too, from a view.

-- Days of a running or waiting period, up to yesterday, of which the figures are not complete: those that the watermark has not
-- reached. Null: none.
create or replace function period_missing_days(p_status text, p_start date, p_end date) returns daterange language sql stable as $$
	select daterange(since, through, '[]') from (select greatest(p_start, coalesce(w.day + 1, p_start)) as since,
		least(assay_today() - 1, p_end) as through from watermark w) m
	where since <= through and p_status in ('open', 'awaiting_data')
$$;

create or replace function days_in(days datemultirange) returns bigint language sql immutable as $$
	select coalesce(sum(upper(r) - lower(r)), 0) from unnest(days) r
$$;

create or replace function missing_store_days(p_provider_id text, missing daterange) returns bigint language sql stable as $$
	select coalesce(sum(days_in(days)), 0)::bigint from (select range_agg(daterange(b.bound_on, b.unbound_on) * missing) as days
		from binding b where b.provider_id = p_provider_id and daterange(b.bound_on, b.unbound_on) && missing group by b.store_id) x
$$;

create or replace function day_span(days daterange) returns json language sql stable as $$
	select case when not isempty(days) then json_build_object('from', lower(days), 'through', upper(days) - 1) end
$$;

-- The resource with what is missing of its figures, which changes by the day; null when it needs none any more, or not yet.
create or replace function period_read(p_body text, p_provider_id text, p_status text, p_start date, p_end date) returns text
language sql stable as $$
	select left(p_body, -1) || ',"data":' || coalesce((select row_to_json(x)::text from (select w.day as watermark,
		day_span(m) as missing_days, missing_store_days(p_provider_id, m) as missing_store_days
		from watermark w cross join period_missing_days(p_status, p_start, p_end) m where p_status in ('open', 'awaiting_data')) x), 'null')
		|| '}'
$$;

-- Which days of which stores. By the key, store after store, so that a page needs no more than itself.
create or replace function period_missing_list(p_period_id text, after text, n integer) returns table (cursor text, body text)
language sql stable as $$
	select x.store_id, json_build_object('store_id', x.store_id, 'store_days', days_in(x.days),
		'days', (select json_agg(day_span(r)) from unnest(x.days) r))::text
	from (select b.store_id, range_agg(daterange(b.bound_on, b.unbound_on) * m) as days
		from period d, period_missing_days(d.status, d.start_day, d.end_day) m, binding b
		where d.period_id = p_period_id and b.provider_id = d.provider_id and b.store_id > coalesce(after, '')
			and daterange(b.bound_on, b.unbound_on) && m
		group by b.store_id order by b.store_id limit n) x
$$;

-- Those whose present pace does not suffice; `furthest` off first, or last. The cursor is what they are sorted by.
create or replace function at_risk_list(after text, n integer, furthest boolean, p_region text, p_industry text, p_stage text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select d.far_off::text, row_to_json(x)::text from period d join provider p using (provider_id)
		cross join lateral (select p.provider_id, p.name, p.region, p.industry, p.status, d.period_id, d.stage, d.number,
			d.start_day as start, d.end_day as "end", d.missing_bps, d.forecast::json as forecast) x
		where d.far_off is not null'
		|| case when after is not null then ' and d.far_off ' || case when furthest then '<' else '>' end || ' $1' else '' end
		|| case when p_region is not null then format(' and p.region like %L', region_prefix(p_region) || '%') else '' end
		|| case when p_industry is not null then ' and p.industry = $2' else '' end
		|| case when p_stage is not null then ' and d.stage = $3' else '' end
		|| ' order by d.far_off ' || case when furthest then 'desc' else 'asc' end || ' limit $4'
		using after, p_industry, p_stage, n;
end $$;

-- What the audit log and events keep of a period.
create or replace function period_audited(d period) returns jsonb language sql stable as $$
	select jsonb_build_object('period_id', d.period_id, 'provider_id', d.provider_id, 'stage', d.stage, 'number', d.number,
		'start', d.start_day, 'end', d.end_day, 'status', d.status, 'policies', d.policies)
$$;

-- p_before: what was otherwise before; null: there was no such period.
create or replace function period_event(p_type text, d period, ctx jsonb, p_before jsonb default null) returns void language plpgsql as $$
begin
	perform audit_add(ctx, p_type, d.period_id, p_before, period_audited(d));
	perform event_add(p_type, d.provider_id, d.period_id, period_audited(d));
end $$;

-- The same for many at once, in their order. Arrays of one length, or `befores` null.
create or replace function period_events(types text[], period_ids text[], befores jsonb[], ctx jsonb) returns void language plpgsql as $$
declare
	afters jsonb[];
	provider_ids text[];
begin
	select array_agg(period_audited(d) order by x.n), array_agg(d.provider_id order by x.n) into afters, provider_ids
		from unnest(period_ids) with ordinality x(period_id, n) join period d using (period_id);
	perform audit_add_all(ctx, types, period_ids, befores, afters), event_add_all(types, provider_ids, period_ids, afters);
end $$;

create or replace function period_insert(a application, p_stage text, p_number integer, p_start date, ctx jsonb) returns period
language plpgsql as $$
declare
	last_day date := period_last_day(a.policy_id, a.policy_version, p_stage, p_start);
	d period;
begin
	insert into period (period_id, provider_id, application_id, stage, number, start_day, end_day, scheduled_end, status, policies)
	values (new_id('prd'), a.provider_id, a.application_id, p_stage, p_number, p_start, last_day, last_day, 'scheduled',
		period_policies(a.policy_id, a.policy_version, p_stage, p_start, last_day))
	returning * into d;
	perform period_event('period.scheduled', d, ctx);
	return d;
end $$;

-- A scheduled period whose first day has come opens; a trial takes its provider along.
create or replace function period_begin(d period, ctx jsonb) returns void language plpgsql as $$
begin
	if d.stage = 'trial' then
		perform provider_transition(d.provider_id, 'trial', d.start_day, d.period_id, ctx);
	end if;
	update period set status = 'open', version = version + 1 where period_id = d.period_id returning * into d;
	perform period_event('period.opened', d, ctx, '{"status": "scheduled"}');
end $$;

-- The day from which what is required has been available without a break; '-infinity' when nothing is, null when it is not there.
create or replace function deposit_reached_on(p_provider_id text, required_fen bigint) returns date language sql stable as $$
	with by_day as (
		select effective_on as day, sum(sum(available_change_fen)) over (order by effective_on) as balance
		from ledger_entry where provider_id = p_provider_id group by effective_on)
	select case when required_fen = 0 then '-infinity'::date when required_fen is not null then (
		select min(day) from by_day
		where day > coalesce((select max(day) from by_day where balance < required_fen), '-infinity'::date)) end
$$;

-- Sets the trial of an admitted provider for the first 1st on or after the day on which everything needed was there: approved,
-- and the deposit paid (3.2). Begins it at once when that day has come. Does nothing while something is missing; safe to
-- repeat. An earlier effective day, posted later, moves a trial that has not begun; a deposit that is no longer there drops it.
create or replace function schedule_trial(p_provider_id text, ctx jsonb) returns void language plpgsql as $$
declare
	p provider;
	a application;
	d period;
	ready date;
	first_day date;
begin
	select * into strict p from provider where provider_id = p_provider_id for update;
	if p.status <> 'admitted' then return; end if;
	select * into strict a from application where application_id = p.application_id;
	ready := deposit_reached_on(p_provider_id, a.deposit_fen);
	ready := case when ready is not null then greatest(a.decided_on, ready) end; -- null: the deposit is not there, or not known yet
	first_day := (date_trunc('month', ready - 1) + interval '1 month')::date;

	select * into d from period where provider_id = p_provider_id and status = 'scheduled' for update;
	if found and d.start_day is distinct from first_day then
		perform period_cancel(d, ctx);
		d := null;
	end if;
	if first_day is null then return; end if;
	if d.period_id is null then
		d := period_insert(a, 'trial', 1, first_day, ctx);
	end if;
	if d.start_day <= assay_today() then
		perform period_begin(d, ctx);
	end if;
end $$;

-- A period that never began leaves no row; the audit log keeps what it would have been.
create or replace function period_cancel(d period, ctx jsonb) returns void language plpgsql as $$
begin
	delete from period where period_id = d.period_id and status = 'scheduled';
	perform audit_add(ctx, 'period.cancelled', d.period_id, period_audited(d), null);
	perform event_add('period.cancelled', d.provider_id, d.period_id, period_audited(d));
end $$;

-- Opens what is scheduled and due on `today`: trials and regular periods. Safe to repeat and to run twice at once. Answers how many.
create or replace function begin_due_periods(today date, ctx jsonb) returns integer language plpgsql as $$
declare
	due record;
	d period;
	n integer := 0;
begin
	perform audit_act_as(ctx);
	for due in select period_id, provider_id from period where status = 'scheduled' and start_day <= today order by period_id loop
		perform from provider where provider_id = due.provider_id for update;
		select * into d from period where period_id = due.period_id and status = 'scheduled' for update;
		if found then
			perform period_begin(d, ctx);
			n := n + 1;
		end if;
	end loop;
	return n;
end $$;
