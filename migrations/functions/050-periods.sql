-- Periods: how they are scheduled, begin and follow each other. Locks are always taken provider first, then period.

create or replace function period_body(d period) returns text language plpgsql stable as $$
begin
	return (select row_to_json(x)::text from (select
		d.period_id, d.provider_id, d.stage, d.number, d.start_day as start, d.end_day as "end", d.scheduled_end,
		d.status, d.policies, d.example, d.decision_id, d.progress::json as progress) x);
end $$;

create or replace function period_keep_body() returns trigger language plpgsql as $$
begin
	new.example := exists (select from policy y, unnest(new.policies) r
		where y.policy_id = split_part(r, '@', 1) and y.version = split_part(r, '@', 2) and y.example);
	new.body := period_body(new);
	return new;
end $$;
-- Not for facts_version and progress_version: an import changes those of every running period, and the body has neither.
create or replace trigger z_body before insert or update of provider_id, stage, number, start_day, end_day, scheduled_end, status, policies,
	decision_id, progress on period for each row execute function period_keep_body();

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
