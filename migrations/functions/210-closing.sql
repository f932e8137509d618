-- Closing: what follows from a decision, and what waits for figures.

-- Holds imports off for this session (see the facts lock of imports), waiting so long at most: lock_not_available after that.
create or replace function facts_lock_shared(wait_ms integer) returns void language plpgsql as $$
begin
	perform set_config('lock_timeout', wait_ms || 'ms', true);
	perform pg_advisory_lock_shared(4242, 1);
end $$;

-- Who a closing acts for: whoever asked for the run, by the request that did; or the daily job.
create or replace function closing_ctx(p_run_id text) returns jsonb language sql stable as $$
	select coalesce(
		(select jsonb_build_object('request_id', request_id, 'key_id', actor_id, 'key_name', actor_name)
			from audit where subject = p_run_id and action = 'run.created' order by audit_id limit 1),
		jsonb_build_object('request_id', 'daily-' || assay_today(), 'key_id', 'system', 'key_name', 'daily job'))
$$;

-- The regular periods that follow passed or converted ones (3.3): each from the first 1st after the end of the one before. Open at
-- once when that day has come, scheduled otherwise. What the policies say of a first day is asked once for all that begin on it.
create or replace function open_next_periods(period_ids text[], ctx jsonb) returns void language plpgsql as $$
declare
	today date := assay_today();
	d period;
begin
	for d in
		with follows as materialized (
			select b.provider_id, b.application_id, a.policy_id, a.policy_version,
				case b.stage when 'trial' then 1 else b.number + 1 end as number,
				(date_trunc('month', b.end_day) + interval '1 month')::date as first_day
			from period b join application a using (application_id) where b.period_id = any (period_ids)),
		judged as materialized (
			select k.*, period_last_day(policy_id, policy_version, 'regular', first_day) as last_day
			from (select distinct policy_id, policy_version, first_day from follows) k),
		ruled as materialized (
			select j.*, period_policies(policy_id, policy_version, 'regular', first_day, last_day) as policies from judged j)
		insert into period (period_id, provider_id, application_id, stage, number, start_day, end_day, scheduled_end, status, policies)
		select new_id('prd'), f.provider_id, f.application_id, 'regular', f.number, f.first_day, r.last_day, r.last_day,
			case when f.first_day <= today then 'open' else 'scheduled' end, r.policies
		from follows f join ruled r using (policy_id, policy_version, first_day)
		returning *
	loop
		perform period_event(case d.status when 'open' then 'period.opened' else 'period.scheduled' end, d, ctx);
	end loop;
end $$;

-- What a closed period makes of its provider (3.2, 3.3). A passed regular period changes nothing: it stays certified.
create or replace function provider_after_period(d period, ctx jsonb) returns void language plpgsql as $$
begin
	if d.status = 'passed' and d.stage = 'trial' then
		perform provider_transition(d.provider_id, 'certified', d.end_day + 1, d.decision_id, ctx);
	elsif d.status = 'failed' and d.stage = 'trial' then
		perform provider_fail_trial(d.period_id, d.decision_id, ctx);
	elsif d.status = 'failed' then
		perform provider_revoke(d.period_id, d.decision_id, ctx);
	end if;
end $$;

-- A chunk of periods whose decisions the same transaction has just written: each is passed, and the next one opens, or failed.
-- Arrays of one length.
create or replace function close_periods(p_run_id text, period_ids text[], decision_ids text[], outcomes text[], progresses text[])
returns void language plpgsql as $$
declare
	ctx jsonb := closing_ctx(p_run_id);
	closed record;
	d period;
	passed text[] := '{}';
	n integer := 0;
begin
	perform audit_act_as(ctx);
	perform audit_add(ctx, 'decision.made', x.decision_id, null, decision_audited(x)),
		event_add('decision.made', x.provider_id, x.decision_id, decision_audited(x))
		from decision x where x.decision_id = any (decision_ids);
	for closed in
		update period p set status = case x.outcome when 'met' then 'passed' else 'failed' end, decision_id = x.decision_id,
			progress = x.progress, progress_version = p.facts_version, version = p.version + 1
		from unnest(period_ids, decision_ids, outcomes, progresses) x(period_id, decision_id, outcome, progress)
		join period o on o.period_id = x.period_id
		where p.period_id = x.period_id and p.status in ('open', 'awaiting_data')
		returning p as after, o.status as before
	loop
		d := closed.after;
		n := n + 1;
		perform period_event('period.' || d.status, d, ctx, jsonb_build_object('status', closed.before));
		perform provider_after_period(d, ctx);
		if d.status = 'passed' then
			passed := passed || d.period_id;
		end if;
	end loop;
	if n <> cardinality(period_ids) then
		raise exception 'a period was closed meanwhile' using errcode = 'serialization_failure'; -- the chunk is tried again
	end if;
	perform open_next_periods(passed, ctx);
	perform run_results_add(p_run_id, period_ids, decision_ids, outcomes);
end $$;

-- Periods that ended on or before as_of but after the watermark wait for their figures (never failed for lack of them).
-- The provider keeps its status. A dry run only takes note of them.
create or replace function mark_awaiting(p_run_id text, as_of date, dry_run boolean) returns void language plpgsql as $$
declare
	ctx jsonb := closing_ctx(p_run_id);
	known_through date := (select day from watermark);
	d period;
begin
	if not dry_run then
		for d in update period set status = 'awaiting_data', version = version + 1
			where period_id in (select period_id from period
				where status = 'open' and end_day <= as_of and (known_through is null or end_day > known_through)
				order by end_day, period_id for update skip locked)
			returning *
		loop
			perform period_event('period.awaiting_data', d, ctx, '{"status": "open"}');
		end loop;
	end if;
	if p_run_id is not null then
		insert into assessment_run_result (run_id, period_id, provider_id, outcome, missing_from, missing_through, missing_store_days)
		select p_run_id, period_id, provider_id, 'awaiting_data', greatest(start_day, known_through + 1), end_day,
			(select coalesce(sum(least(b.unbound_on, p.end_day + 1) - greatest(b.bound_on, p.start_day, known_through + 1)), 0) from binding b
				where b.provider_id = p.provider_id and b.bound_on <= p.end_day and b.unbound_on is distinct from b.bound_on
				and (b.unbound_on is null or b.unbound_on > greatest(p.start_day, known_through + 1)))
		from period p
		where status in ('open', 'awaiting_data') and end_day <= as_of and (known_through is null or end_day > known_through)
		on conflict do nothing;
	end if;
end $$;
