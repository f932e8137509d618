-- Corrections of decisions: proposed by one person on today's facts, and in force once another has confirmed them. See docs/rule.md.

-- Without `whole` for lists: the document may be large. It stands in it byte for byte, so that its sha256 can be checked.
create or replace function correction_body(c correction, whole boolean) returns text language sql stable as $$
	select concat(left(row_to_json(h)::text, -1), case when whole then ',"document":' || c.document end, ',', substr(row_to_json(t)::text, 2))
	from (select c.correction_id, c.decision_id, c.provider_id, c.period_id, c.status, c.reason,
			(select d.outcome from decision d where d.decision_id = c.decision_id) as outcome_before, c.outcome, c.changes) h,
		(select c.sha256, c.engine, c.proposed_by, c.proposed_on, c.decided_by, c.decided_on, c.note, c.consequence,
			c.superseding_id as superseding_decision_id, instant(c.created_at) as created_at, instant(c.updated_at) as updated_at) t
$$;

create or replace function correction_audited(c correction) returns jsonb language sql stable as $$
	select correction_body(c, false)::jsonb
$$;

create or replace function correction_answer(c correction, status integer default 200, location text default null) returns answer
language sql stable as $$
	select answer_body(status, correction_body(c, true), 'v' || c.version, location)
$$;

create or replace function correction_happened(p_type text, before correction, after correction, ctx jsonb) returns void
language plpgsql as $$
begin
	perform audit_add(ctx, p_type, after.correction_id, case when before.correction_id is not null then correction_audited(before) end,
		correction_audited(after));
	perform event_add(p_type, after.provider_id, after.correction_id, correction_audited(after));
end $$;

-- Today's facts give something else than it proposes, or its period is gone: nobody can confirm it any more.
create or replace function correction_lapse(before correction, ctx jsonb) returns void language plpgsql as $$
declare
	c correction;
begin
	update correction set status = 'lapsed', decided_on = assay_today() where correction_id = before.correction_id and status = 'proposed'
		returning * into c;
	if found then
		perform correction_happened('correction.lapsed', before, c, ctx);
	end if;
end $$;

-- What a decision is that no correction or appeal can be about any more; null: it is the one that holds.
create or replace function decision_gone(d decision) returns text language sql stable as $$
	select case when exists (select from decision s where s.supersedes = d.decision_id) then 'superseded'
		when exists (select from decision_void v where v.decision_id = d.decision_id) then 'void' end
$$;

-- What today's facts give, decided on by the service in the transaction that calls this. args: decision_id, reason, differs, outcome,
-- decided_on (today, as its document says), document, sha256, evaluation_sha256, engine, changes (JSON as text)
create or replace function op_correction_propose(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	d decision;
	p period;
	running correction;
	c correction;
	today date := assay_today();
	arrived date;
begin
	select * into strict d from decision where decision_id = args->>'decision_id';
	perform from provider where provider_id = d.provider_id for update;
	select * into strict p from period where period_id = d.period_id for update;
	if decision_gone(d) is not null then return wrong_state('decision', decision_gone(d), 'current'); end if;
	if p.status not in ('passed', 'failed', 'converted') then return wrong_state('period', p.status, 'passed, failed, converted'); end if;
	if today <> (args->>'decided_on')::date then return answer_problem('again'); end if;
	if not (args->>'differs')::boolean then return answer_problem('decision_stands'); end if;
	arrived := coalesce((select marked_on from decision_review where decision_id = d.decision_id), today);
	if arrived > period_reopen_until(p) then
		return answer_problem('reopen_limit_passed', arrived::text, period_reopen_until(p)::text);
	end if;
	select * into running from correction where decision_id = d.decision_id and status = 'proposed' for update;
	if running.evaluation_sha256 = args->>'evaluation_sha256' then
		return wrong_state('correction', 'proposed', 'confirmed, rejected, withdrawn, lapsed');
	end if;
	perform correction_lapse(running, ctx);
	insert into correction (correction_id, decision_id, provider_id, period_id, reason, outcome, document, sha256, evaluation_sha256,
		engine, changes, proposed_by, proposed_on)
	values (new_id('cor'), d.decision_id, d.provider_id, d.period_id, args->>'reason', args->>'outcome', args->>'document',
		args->>'sha256', args->>'evaluation_sha256', args->>'engine', (args->>'changes')::json, actor_of(ctx), today)
	returning * into c;
	perform correction_happened('correction.proposed', null, c, ctx);
	return correction_answer(c, 201, '/v1/corrections/' || c.correction_id);
end $$;

-- The correction of args.correction_id with its provider and period locked; null: there is none.
create or replace function correction_locked(args jsonb) returns correction language plpgsql as $$
declare
	c correction;
begin
	select * into c from correction where correction_id = args->>'correction_id';
	perform from provider where provider_id = c.provider_id for update;
	perform from period where period_id = c.period_id for update;
	select * into c from correction where correction_id = args->>'correction_id' for update;
	return c;
end $$;

-- By another person than proposed it; whoever proposed it takes it back. args: correction_id, reason
create or replace function op_correction_reject(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before correction := correction_locked(args);
	c correction;
begin
	if before.correction_id is null then return answer_problem('not_found'); end if;
	if before.status <> 'proposed' then return wrong_state('correction', before.status, 'proposed'); end if;
	update correction set status = case when before.proposed_by = actor_of(ctx) then 'withdrawn' else 'rejected' end,
		decided_by = actor_of(ctx), decided_on = assay_today(), note = args->>'reason'
		where correction_id = before.correction_id returning * into c;
	perform correction_happened('correction.' || c.status, before, c, ctx);
	return correction_answer(c);
end $$;

-- ---- what a confirmation does ----

-- A move that only a correction makes (or one that it shares with others), with the day from which it would have been so.
create or replace function provider_correct_status(p_provider_id text, p_to text, p_since date, p_cause text, ctx jsonb) returns void
language plpgsql as $$
declare
	p provider;
begin
	select * into strict p from provider where provider_id = p_provider_id for update;
	update provider set status = p_to, since = p_since where provider_id = p_provider_id;
	insert into provider_status (provider_id, seq, status, since, cause)
		select p_provider_id, max(seq) + 1, p_to, p_since, p_cause from provider_status where provider_id = p_provider_id;
	perform audit_add(ctx, 'provider.status_corrected', p_provider_id, jsonb_build_object('status', p.status, 'since', p.since),
		jsonb_build_object('status', p_to, 'since', p_since, 'cause', p_cause));
	perform event_add('provider.status_corrected', p_provider_id, p_provider_id,
		jsonb_build_object('from', p.status, 'to', p_to, 'since', p_since, 'cause', p_cause));
end $$;

-- Since when an application's provider is certified, or would be: its trial was passed, or it was converted.
create or replace function certified_since(p_application_id text) returns date language sql stable as $$
	select case status when 'converted' then end_day else end_day + 1 end from period
	where application_id = p_application_id and stage = 'trial' and status in ('passed', 'converted')
$$;

-- A cool-down that a period of this application began was none. One of an earlier application, which a waiver lifted, goes on.
create or replace function provider_forget_cooldown(d period) returns void language plpgsql as $$
declare
	began date := (select min(start_day) from period where application_id = d.application_id);
	failed_until date := d.end_day + 1 + policy_admission_days(d.policies, 'trial_failed_cooldown_days');
	p provider;
begin
	select * into strict p from provider where provider_id = d.provider_id for update;
	if (p.reapply_cause = 'revoked' and p.revoked_on > began) or (p.reapply_cause = 'trial_failed' and p.reapply_from = failed_until) then
		p.reapply_from := null;
		p.reapply_cause := null;
	end if;
	if p.revoked_on > began then
		p.revoked_on := (select max(since) from provider_status where provider_id = p.provider_id and status = 'revoked' and since <= began);
	end if;
	update provider set reapply_from = p.reapply_from, reapply_cause = p.reapply_cause, revoked_on = p.revoked_on
		where provider_id = p.provider_id and (reapply_from, reapply_cause, revoked_on)
			is distinct from (p.reapply_from, p.reapply_cause, p.revoked_on);
end $$;

-- A decision on a period that would not have been: it stays to be seen, and counts for nothing.
create or replace function decision_void_by(p_decision_id text, c correction, ctx jsonb) returns void language plpgsql as $$
begin
	insert into decision_void (decision_id, correction_id) values (p_decision_id, c.correction_id);
	perform correction_lapse(o, ctx) from correction o where o.decision_id = p_decision_id and o.status = 'proposed';
	delete from decision_review where decision_id = p_decision_id;
	perform audit_add(ctx, 'decision.voided', d.decision_id, null, decision_audited(d) || jsonb_build_object('voided_by', c.correction_id)),
		event_add('decision.voided', d.provider_id, d.decision_id, decision_audited(d) || jsonb_build_object('voided_by', c.correction_id))
		from decision d where d.decision_id = p_decision_id;
end $$;

-- The periods that followed one that is not met after all.
create or replace function periods_after_cancelled(d period, c correction, ctx jsonb) returns void language plpgsql as $$
declare
	later period;
	gone period;
begin
	for later in select * from period where application_id = d.application_id and start_day > d.start_day and status <> 'cancelled'
		order by start_day for update
	loop
		if later.status = 'scheduled' then
			perform period_cancel(later, ctx);
			continue;
		end if;
		update period set status = 'cancelled', version = version + 1 where period_id = later.period_id returning * into gone;
		perform period_event('period.cancelled', gone, ctx, period_audited(later));
		if gone.decision_id is not null then
			perform decision_void_by(gone.decision_id, c, ctx);
		end if;
	end loop;
end $$;

-- The provider is again what that application made of it.
create or replace function provider_rests_on(d period) returns void language sql as $$
	update provider p set application_id = a.application_id, policy = a.deposit_policy
		from application a where a.application_id = d.application_id and p.provider_id = d.provider_id
$$;

-- The trial goes on as if it had not been converted: a period of the same days, in the place of the one that was cut.
create or replace function trial_resume(cut period, ctx jsonb) returns period language plpgsql as $$
declare
	d period;
begin
	select made.* into strict d from application a cross join lateral period_insert(a, 'trial', cut.number, cut.start_day, ctx) made
		where a.application_id = cut.application_id;
	update period set status = 'open', version = version + 1 where period_id = d.period_id returning * into d;
	perform period_event('period.opened', d, ctx, '{"status": "scheduled"}');
	return d;
end $$;

-- The period, and what its decision makes of the provider and of what came after. `d` is as it was decided before.
create or replace function correction_take_effect(c correction, made decision, d period, p_progress text, ctx jsonb) returns void
language plpgsql as $$
declare
	was period := d;
begin
	update period set decision_id = made.decision_id, progress = p_progress, progress_version = facts_version, version = version + 1,
		status = case when c.consequence = 'none' then status when made.outcome = 'met' then 'passed'
			when status = 'converted' then 'cancelled' else 'failed' end
		where period_id = d.period_id returning * into d;
	perform period_event('period.corrected', d, ctx, period_audited(was) || jsonb_build_object('decision_id', was.decision_id));
	if c.consequence = 'none' then return; end if;
	perform periods_after_cancelled(d, c, ctx);
	perform provider_forget_cooldown(d);
	case c.consequence
	when 'restored' then
		perform provider_rests_on(d);
		perform provider_correct_status(d.provider_id, 'certified', certified_since(d.application_id), made.decision_id, ctx);
		perform open_next_periods(array[d.period_id], ctx);
	when 'trial_resumed' then
		perform provider_rests_on(d);
		perform provider_correct_status(d.provider_id, 'trial', d.start_day, made.decision_id, ctx);
		perform trial_resume(d, ctx);
	when 'failed' then
		perform provider_correct_status(d.provider_id, case d.stage when 'trial' then 'trial_failed' else 'revoked' end, d.end_day + 1,
			made.decision_id, ctx);
		perform providers_cool_down(array[d.period_id]);
	when 'recorded' then
		if d.status = 'failed' then
			perform providers_cool_down(array[d.period_id]);
		end if;
	end case;
end $$;

-- By another person than proposed it; what it does was decided in C (model/rules/correction.c) in the transaction that calls this, and
-- so was that today's facts give what it proposes. args: correction_id, consequence, progress, sha256?, note?
create or replace function op_correction_confirm(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before correction := correction_locked(args);
	c correction;
	was decision;
	made decision;
begin
	if before.correction_id is null then return answer_problem('not_found'); end if;
	if before.status = 'lapsed' then return answer_problem('correction_lapsed'); end if; -- whether just now or by the background before
	if before.status <> 'proposed' then return wrong_state('correction', before.status, 'proposed'); end if;
	if before.proposed_by = actor_of(ctx) then return answer_problem('same_actor'); end if;
	if args->>'sha256' <> before.sha256 then return answer_problem('correction_differs', before.sha256); end if;
	select * into strict was from decision where decision_id = before.decision_id;
	insert into decision (decision_id, provider_id, period_id, outcome, decided_on, document, sha256, engine, supersedes, as_of)
	values (new_id('dec'), was.provider_id, was.period_id, before.outcome, before.proposed_on, before.document, before.sha256,
		before.engine, was.decision_id, was.as_of)
	returning * into made;
	update correction set status = 'confirmed', decided_by = actor_of(ctx), decided_on = assay_today(), note = args->>'note',
		consequence = args->>'consequence', superseding_id = made.decision_id, confirmed_in = pg_current_xact_id()
		where correction_id = before.correction_id returning * into c;
	delete from decision_review where decision_id = was.decision_id;
	perform audit_add(ctx, 'decision.made', made.decision_id, null, decision_audited(made) || jsonb_build_object('supersedes', was.decision_id));
	perform event_add('decision.made', made.provider_id, made.decision_id, decision_audited(made) || jsonb_build_object('supersedes', was.decision_id));
	perform correction_happened('correction.confirmed', before, c, ctx);
	perform correction_take_effect(c, made, d, args->>'progress', ctx) from period d where d.period_id = c.period_id;
	return correction_answer(c);
end $$;

-- ---- reading ----

-- Newest first. Only the filters that are given are in the statement. `whose`: a partner's own.
create or replace function correction_list(after text, n integer, whose text, p_status text, p_decision_id text, p_provider_id text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select correction_id, correction_body(c, false) from correction c where true'
		|| case when after is not null then ' and correction_id < $1' else '' end
		|| case when whose is not null then ' and provider_id = $2' else '' end
		|| case when p_status is not null then ' and status = $3' else '' end
		|| case when p_decision_id is not null then ' and decision_id = $4' else '' end
		|| case when p_provider_id is not null then ' and provider_id = $5' else '' end
		|| ' order by correction_id desc limit $6'
		using after, whose, p_status, p_decision_id, p_provider_id, n;
end $$;
