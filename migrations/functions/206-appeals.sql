-- Appeals: a provider's objection to a decision, answered within a stated time: the decision stands, or a correction takes its place.

create or replace function appeal_overdue(a appeal) returns boolean language sql stable as $$
	select a.status = 'open' and coalesce(a.due_on < assay_today(), false)
$$;

create or replace function appeal_body(a appeal) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		a.appeal_id, a.decision_id, a.provider_id, a.status, a.reason, a.documents, a.submitted_by, a.submitted_on, a.due_on,
		appeal_overdue(a) as overdue, a.answered_by, a.answered_on, a.answer, a.correction_id,
		instant(a.created_at) as created_at, instant(a.updated_at) as updated_at) x
$$;

-- Which documents it came with, by what they are; their names may name people.
create or replace function appeal_audited(a appeal) returns jsonb language sql stable as $$
	select appeal_body(a)::jsonb || jsonb_build_object('documents', coalesce(
		(select jsonb_agg(jsonb_build_object('kind', d->'kind', 'sha256', d->'sha256')) from json_array_elements(a.documents) d), '[]'))
$$;

-- `overdue` changes with the day alone.
create or replace function appeal_etag(a appeal) returns text language sql stable as $$
	select concat('v', a.version, case when appeal_overdue(a) then '-overdue' end)
$$;

create or replace function appeal_answer(a appeal, status integer default 200, location text default null) returns answer
language sql stable as $$
	select answer_body(status, appeal_body(a), appeal_etag(a), location)
$$;

create or replace function appeal_happened(p_type text, before appeal, after appeal, ctx jsonb) returns void language plpgsql as $$
begin
	perform audit_add(ctx, p_type, after.appeal_id, case when before.appeal_id is not null then appeal_audited(before) end,
		appeal_audited(after));
	perform event_add(p_type, after.provider_id, after.appeal_id, appeal_audited(after));
end $$;

-- A partner's key on another provider's things: as if they were not there.
create or replace function foreign_to(ctx jsonb, p_provider_id text) returns boolean language sql immutable as $$
	select ctx->>'role' = 'partner' and p_provider_id is distinct from ctx->>'provider_id'
$$;

-- args: decision_id, reason, documents (JSON as text)
create or replace function op_appeal_submit(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	d decision;
	p period;
	a appeal;
	today date := assay_today();
	until date;
begin
	select * into d from decision where decision_id = args->>'decision_id';
	if not found or foreign_to(ctx, d.provider_id) then return answer_problem('not_found'); end if;
	perform from provider where provider_id = d.provider_id for update;
	select * into strict p from period where period_id = d.period_id;
	if decision_gone(d) is not null then return wrong_state('decision', decision_gone(d), 'current'); end if;
	if exists (select from appeal where decision_id = d.decision_id and status = 'open') then
		return wrong_state('appeal', 'open', 'confirmed, corrected, withdrawn');
	end if;
	until := coalesce((select c.decided_on from correction c where c.superseding_id = d.decision_id), d.decided_on) -- since when it holds
		+ policy_decisions_days(p.policies, 'appeal_days');
	if today > until then return answer_problem('appeal_too_late', until::text); end if;
	insert into appeal (appeal_id, decision_id, provider_id, reason, documents, submitted_by, submitted_on, due_on)
	values (new_id('apl'), d.decision_id, d.provider_id, args->>'reason', (args->>'documents')::json, actor_of(ctx), today,
		today + policy_decisions_days(p.policies, 'appeal_answer_days'))
	returning * into a;
	perform appeal_happened('appeal.submitted', null, a, ctx);
	return appeal_answer(a, 201, '/v1/appeals/' || a.appeal_id);
end $$;

-- The appeal of args.appeal_id with its provider locked; null: there is none that the caller may see.
create or replace function appeal_locked(ctx jsonb, args jsonb) returns appeal language plpgsql as $$
declare
	a appeal;
begin
	select * into a from appeal where appeal_id = args->>'appeal_id';
	if foreign_to(ctx, a.provider_id) then return null; end if;
	perform from provider where provider_id = a.provider_id for update;
	select * into a from appeal where appeal_id = args->>'appeal_id' for update;
	return a;
end $$;

-- Its end. A correction is named only where it is the answer.
create or replace function appeal_end(ctx jsonb, before appeal, p_status text, p_answer text, p_correction_id text default null)
returns answer language plpgsql as $$
declare
	a appeal;
begin
	update appeal set status = p_status, answered_by = actor_of(ctx), answered_on = assay_today(), answer = p_answer,
		correction_id = p_correction_id
		where appeal_id = before.appeal_id returning * into a;
	perform appeal_happened('appeal.' || p_status, before, a, ctx);
	return appeal_answer(a);
end $$;

-- Why it cannot be answered by this caller; null: it can.
create or replace function appeal_unanswerable(ctx jsonb, a appeal) returns answer language plpgsql stable as $$
begin
	if a.appeal_id is null then return answer_problem('not_found'); end if;
	if a.status <> 'open' then return wrong_state('appeal', a.status, 'open'); end if;
	if a.submitted_by = actor_of(ctx) then return answer_problem('same_actor'); end if;
	return null;
end $$;

-- The decision stands. args: appeal_id, reason
create or replace function op_appeal_confirm(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before appeal := appeal_locked(ctx, args);
	refused answer := appeal_unanswerable(ctx, before);
	d decision;
begin
	if refused.code is not null then return refused; end if;
	select * into strict d from decision where decision_id = before.decision_id;
	if decision_gone(d) is not null then return wrong_state('decision', decision_gone(d), 'current'); end if;
	return appeal_end(ctx, before, 'confirmed', args->>'reason');
end $$;

-- A correction that was confirmed takes the decision's place. args: appeal_id, correction_id, reason?
create or replace function op_appeal_correct(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before appeal := appeal_locked(ctx, args);
	refused answer := appeal_unanswerable(ctx, before);
	c correction;
begin
	if refused.code is not null then return refused; end if;
	select * into c from correction where correction_id = args->>'correction_id' and decision_id = before.decision_id;
	if not found then return answer_faults(jsonb_build_array(fault('/correction_id', 'unknown_id', args->>'correction_id'))); end if;
	if c.status <> 'confirmed' then return wrong_state('correction', c.status, 'confirmed'); end if;
	return appeal_end(ctx, before, 'corrected', args->>'reason', c.correction_id);
end $$;

-- args: appeal_id, note?
create or replace function op_appeal_withdraw(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before appeal := appeal_locked(ctx, args);
begin
	if before.appeal_id is null then return answer_problem('not_found'); end if;
	if before.status <> 'open' then return wrong_state('appeal', before.status, 'open'); end if;
	return appeal_end(ctx, before, 'withdrawn', args->>'note');
end $$;

-- Newest first. Only the filters that are given are in the statement. `whose`: a partner's own; p_overdue: only those (or only others).
create or replace function appeal_list(after text, n integer, whose text, p_status text, p_overdue boolean, p_decision_id text, p_provider_id text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select appeal_id, appeal_body(a) from appeal a where true'
		|| case when after is not null then ' and appeal_id < $1' else '' end
		|| case when whose is not null then ' and provider_id = $2' else '' end
		|| case when p_status is not null then ' and status = $3' else '' end
		|| case when p_overdue then ' and status = ''open'' and due_on < $7'
			when not p_overdue then ' and (status <> ''open'' or due_on is null or due_on >= $7)' else '' end
		|| case when p_decision_id is not null then ' and decision_id = $4' else '' end
		|| case when p_provider_id is not null then ' and provider_id = $5' else '' end
		|| ' order by appeal_id desc limit $6'
		using after, whose, p_status, p_decision_id, p_provider_id, n, assay_today();
end $$;
