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
-- Answers their ids.
drop function if exists open_next_periods(text[], jsonb); -- it answered nothing once
create function open_next_periods(period_ids text[], ctx jsonb) returns text[] language plpgsql as $$
declare
	today date := assay_today();
	made text[];
	happened text[];
begin
	with follows as materialized (
		select b.provider_id, b.application_id, a.policy_id, a.policy_version,
			case b.stage when 'trial' then 1 else b.number + 1 end as number,
			(date_trunc('month', b.end_day) + interval '1 month')::date as first_day
		from period b join application a using (application_id) where b.period_id = any (period_ids)),
	judged as materialized (
		select k.*, period_last_day(policy_id, policy_version, 'regular', first_day) as last_day
		from (select distinct policy_id, policy_version, first_day from follows) k),
	ruled as materialized (
		select j.*, period_policies(policy_id, policy_version, 'regular', first_day, last_day) as policies from judged j),
	opened as (
		insert into period (period_id, provider_id, application_id, stage, number, start_day, end_day, scheduled_end, status, policies)
		select new_id('prd'), f.provider_id, f.application_id, 'regular', f.number, f.first_day, r.last_day, r.last_day,
			case when f.first_day <= today then 'open' else 'scheduled' end, r.policies
		from follows f join ruled r using (policy_id, policy_version, first_day)
		returning period_id, status)
	select array_agg(period_id order by period_id),
		array_agg(case status when 'open' then 'period.opened' else 'period.scheduled' end order by period_id)
	into made, happened from opened;
	perform period_events(happened, made, null, ctx);
	return made;
end $$;

-- The cool-downs that failed ones of these periods begin, by the period's newest policy. A failed trial leaves free to apply again after
-- days that are 0 unless the policy says otherwise, and an earlier revocation's cool-down, which a waiver had lifted for this application,
-- ends no sooner for it. A failed regular period revokes, and no new application is accepted for the cool-down (5).
create or replace function providers_cool_down(period_ids text[]) returns void language sql as $$
	with failed as materialized (
		select provider_id, stage, end_day + 1 as from_day, policies from period where period_id = any (period_ids) and status = 'failed'),
	ruled as materialized (
		select stage, policies, policy_admission_days(policies,
			case stage when 'trial' then 'trial_failed_cooldown_days' else 'reapply_cooldown_days' end) as days
		from (select distinct stage, policies from failed) k),
	cooled as (
		select f.provider_id, case f.stage when 'regular' then f.from_day end as revoked_on,
			case when f.stage = 'regular' then 'revoked' when r.days > 0 then 'trial_failed' end as cause,
			case when f.stage = 'regular' or r.days > 0 then f.from_day + r.days end as until,
			f.stage = 'regular' or f.from_day + r.days >= coalesce(p.reapply_from, '-infinity') as counts
		from failed f join ruled r using (stage, policies) join provider p using (provider_id))
	update provider p set revoked_on = coalesce(c.revoked_on, p.revoked_on), reapply_cause = c.cause, reapply_from = c.until
	from cooled c where p.provider_id = c.provider_id and c.counts
		and (p.revoked_on, p.reapply_cause, p.reapply_from) is distinct from (coalesce(c.revoked_on, p.revoked_on), c.cause, c.until);
$$;

-- What closed periods make of their providers (3.2, 3.3), each from the day after its end. A passed trial certifies, a failed regular
-- period revokes, a passed one changes nothing.
create or replace function providers_after_periods(period_ids text[], ctx jsonb) returns void language plpgsql as $$
declare
	whose text[];
	tos text[];
	sinces date[];
	causes text[];
begin
	select array_agg(d.provider_id order by d.period_id), array_agg(d.becomes order by d.period_id),
		array_agg(d.end_day + 1 order by d.period_id), array_agg(d.decision_id order by d.period_id)
	into whose, tos, sinces, causes
	from (select period_id, provider_id, end_day, decision_id, case when status = 'passed' and stage = 'trial' then 'certified'
			when status = 'failed' and stage = 'trial' then 'trial_failed' when status = 'failed' then 'revoked' end as becomes
		from period where period_id = any (period_ids)) d
	where d.becomes is not null;
	perform providers_transition(coalesce(whose, '{}'), tos, sinces, causes, ctx);

	perform providers_cool_down(period_ids);
end $$;

-- A chunk of periods whose decisions the same transaction has just written: each is passed, and the next one opens, or failed.
-- Arrays of one length. What each step does, it does for all of them at once.
create or replace function close_periods(p_run_id text, period_ids text[], decision_ids text[], outcomes text[], progresses text[])
returns void language plpgsql as $$
declare
	ctx jsonb := closing_ctx(p_run_id);
	closed text[];
	opened text[];
	happened text[];
	befores jsonb[];
begin
	perform audit_act_as(ctx), states_keep_together();
	perform audit_add_all(ctx, t.types, t.ids, null, t.datas),
			event_add_all(t.types, t.whose, t.ids, t.datas)
		from (select array_agg('decision.made'::text) as types, array_agg(x.decision_id order by x.decision_id) as ids,
				array_agg(x.provider_id order by x.decision_id) as whose, array_agg(decision_audited(x) order by x.decision_id) as datas
			from decision x where x.decision_id = any (decision_ids)) t;
	with done as (
		update period p set status = case x.outcome when 'met' then 'passed' else 'failed' end, decision_id = x.decision_id,
			progress = x.progress, progress_version = p.facts_version, version = p.version + 1
		from unnest(period_ids, decision_ids, outcomes, progresses) x(period_id, decision_id, outcome, progress)
		join period o on o.period_id = x.period_id
		where p.period_id = x.period_id and p.status in ('open', 'awaiting_data')
		returning p.period_id, 'period.' || p.status as happened, jsonb_build_object('status', o.status) as before)
	select array_agg(d.period_id order by d.period_id), array_agg(d.happened order by d.period_id),
		array_agg(d.before order by d.period_id) into closed, happened, befores from done d;
	if coalesce(cardinality(closed), 0) <> cardinality(period_ids) then
		raise exception 'a period was closed meanwhile' using errcode = 'serialization_failure'; -- the chunk is tried again
	end if;
	perform period_events(happened, closed, befores, ctx);
	perform providers_after_periods(closed, ctx);
	opened := open_next_periods(array(select period_id from unnest(period_ids, outcomes) x(period_id, outcome) where outcome = 'met'), ctx);
	perform states_kept_together(array(select provider_id from period where period_id = any (closed)), closed || opened);
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
