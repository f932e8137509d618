-- Closing: what follows from a decision, and what waits for figures.

-- Who a closing acts for: the run's caller, or the daily job.
create or replace function closing_ctx(p_run_id text) returns jsonb language sql stable as $$
	select coalesce(
		(select jsonb_build_object('request_id', r.run_id, 'key_id', r.created_by, 'key_name', coalesce(k.name, r.created_by))
			from assessment_run r left join api_key k on k.key_id = r.created_by where r.run_id = p_run_id),
		jsonb_build_object('request_id', 'daily-' || assay_today(), 'key_id', 'system', 'key_name', 'daily job'))
$$;

-- One period after its decision was written (3.2, 3.3): passed opens the next; failed ends the trial or the certification.
create or replace function close_period(p_period_id text, p_decision_id text, met boolean, p_progress text, ctx jsonb) returns void
language plpgsql as $$
declare
	d period;
begin
	update period set status = case when met then 'passed' else 'failed' end, decision_id = p_decision_id,
		progress = p_progress, progress_version = facts_version, version = version + 1
		where period_id = p_period_id and status in ('open', 'awaiting_data') returning * into strict d;
	perform audit_add(ctx, 'decision.made', p_decision_id, null, decision_audited(x)) from decision x where decision_id = p_decision_id;
	perform event_add('decision.made', d.provider_id, p_decision_id, decision_audited(x)) from decision x where decision_id = p_decision_id;
	perform period_event('period.' || d.status, d, ctx);
	if met then
		if d.stage = 'trial' then
			perform provider_transition(d.provider_id, 'certified', d.end_day + 1, p_decision_id, ctx);
		end if;
		perform open_next_period(d.period_id, ctx);
	elsif d.stage = 'trial' then
		perform provider_fail_trial(d.period_id, p_decision_id, ctx);
	else
		perform provider_revoke(d.period_id, p_decision_id, ctx);
	end if;
end $$;

-- A chunk of them, whose decisions the same transaction has just written. Arrays of one length.
create or replace function close_periods(p_run_id text, period_ids text[], decision_ids text[], outcomes text[], progresses text[])
returns void language plpgsql as $$
declare
	ctx jsonb := closing_ctx(p_run_id);
begin
	for i in 1 .. coalesce(cardinality(period_ids), 0) loop
		perform close_period(period_ids[i], decision_ids[i], outcomes[i] = 'met', progresses[i], ctx);
	end loop;
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
			perform period_event('period.awaiting_data', d, ctx);
		end loop;
	end if;
	if p_run_id is not null then
		insert into assessment_run_result (run_id, period_id, provider_id, outcome, missing_from, missing_through)
		select p_run_id, period_id, provider_id, 'awaiting_data', greatest(start_day, known_through + 1), end_day from period
		where status in ('open', 'awaiting_data') and end_day <= as_of and (known_through is null or end_day > known_through)
		on conflict do nothing;
	end if;
end $$;
