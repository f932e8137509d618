-- Refunds: asked for by one person, approved by another, then settled or failed. What is asked for is held meanwhile, so that it
-- cannot be spent twice.

create or replace function refund_body(r refund) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		r.refund_id, r.provider_id, r.status, r.requested_fen, r.amount_fen, r.reason, r.requested_on, r.requested_by, r.expires_on,
		r.approved_on, r.approved_by, r.ended_on, r.note, r.entry_id, r.version,
		instant(r.created_at) as created_at, instant(r.updated_at) as updated_at) x
$$;

create or replace function answer_refund(r refund, status integer default 200, location text default null) returns answer
language sql stable as $$
	select answer_body(status, refund_body(r), 'v' || r.version, location)
$$;

create or replace function refund_keep() returns trigger language plpgsql as $$
begin
	new.version := old.version + 1;
	new.updated_at := clock_timestamp();
	return new;
end $$;
create or replace trigger z_version before update on refund for each row execute function refund_keep();

create or replace function refund_happened(ctx jsonb, p_type text, before refund, after refund) returns void language plpgsql as $$
begin
	perform audit_add(ctx, p_type, after.refund_id, case when before.refund_id is not null then refund_body(before)::jsonb end,
		refund_body(after)::jsonb);
	perform event_add(p_type, after.provider_id, after.refund_id, refund_body(after)::jsonb);
end $$;

-- The money that a refund holds, or no longer holds, or pays: an entry of that kind.
create or replace function refund_post(ctx jsonb, r refund, kind text, amount bigint, external_reference text default null)
returns posted language plpgsql as $$
declare
	e ledger_entry;
begin
	e.provider_id := r.provider_id;
	e.kind := kind;
	e.amount_fen := amount;
	e.refund_id := r.refund_id;
	e.external_reference := external_reference;
	e.effective_on := assay_today();
	return ledger_post(ctx, e);
end $$;

-- Those that still hold money: asked for, or approved and not paid yet.
create or replace function refund_running(p_provider_id text) returns setof refund language sql stable as $$
	select * from refund where provider_id = p_provider_id and status in ('requested', 'approved') order by refund_id
$$;

-- The last day on which a request may be decided, by the policy that governs; null when it does not say.
create or replace function refund_expires_on(p provider) returns date language sql stable as $$
	select assay_today() + policy_admission(policy_of(coalesce(p.obligation, p.policy)), 'refund_request_days')::integer
$$;

-- Asks for a refund and holds it: p_amount, or all that is available when it is null. Null when there is not so much (or nothing).
create or replace function refund_request(ctx jsonb, p_provider_id text, p_amount bigint, p_reason text) returns refund
language plpgsql as $$
declare
	p provider;
	r refund;
begin
	select * into strict p from provider where provider_id = p_provider_id for update;
	p_amount := coalesce(p_amount, p.balance_fen - p.held_fen);
	if p_amount < 1 or p_amount > p.balance_fen - p.held_fen then return null; end if;
	insert into refund (refund_id, provider_id, status, requested_fen, amount_fen, reason, requested_on, requested_by, expires_on)
	values (new_id('rfd'), p_provider_id, 'requested', p_amount, p_amount, p_reason, assay_today(), actor_of(ctx), refund_expires_on(p))
	returning * into r;
	perform refund_post(ctx, r, 'refund_hold', p_amount);
	perform refund_happened(ctx, 'refund.requested', null, r);
	return r;
end $$;

-- A deduction needs money that refunds hold: the newest give way first. What is asked for is then less than what anyone approved, so
-- the approval falls away; with nothing left the refund is over. `missing` <= 0: nothing happens.
create or replace function refund_take(ctx jsonb, p provider, missing bigint) returns void language plpgsql as $$
declare
	before refund;
	r refund;
	taken bigint;
begin
	if missing <= 0 then return; end if;
	for before in select * from refund where provider_id = p.provider_id and status in ('requested', 'approved') order by refund_id desc loop
		taken := least(missing, before.amount_fen);
		perform refund_post(ctx, before, 'refund_release', taken);
		update refund set amount_fen = amount_fen - taken, approved_on = null, approved_by = null,
			status = case when amount_fen = taken then 'cancelled' else 'requested' end,
			ended_on = case when amount_fen = taken then assay_today() end,
			expires_on = case when status = 'approved' then refund_expires_on(p) else expires_on end
			where refund_id = before.refund_id returning * into r;
		perform refund_happened(ctx, case r.status when 'cancelled' then 'refund.cancelled' else 'refund.reduced' end, before, r);
		missing := missing - taken;
		exit when missing = 0;
	end loop;
end $$;

-- Nothing is paid: what it held is available again.
create or replace function refund_end(ctx jsonb, before refund, p_status text, p_note text) returns refund language plpgsql as $$
declare
	r refund;
begin
	perform refund_post(ctx, before, 'refund_release', before.amount_fen);
	update refund set status = p_status, ended_on = assay_today(), note = coalesce(p_note, note)
		where refund_id = before.refund_id returning * into r;
	perform refund_happened(ctx, 'refund.' || p_status, before, r);
	return r;
end $$;

-- The day on which the next request expires that nobody decided: the day after its last one.
create or replace function refund_expiry_due() returns date language sql stable as $$
	select min(expires_on) + 1 from refund where status = 'requested'
$$;

-- For the daily job: what nobody decided in time expires. Safe to repeat and to run twice at once. Answers how many.
create or replace function refund_expire_due(today date, ctx jsonb) returns integer language plpgsql as $$
declare
	due record;
	r refund;
	n integer := 0;
begin
	for due in select refund_id, provider_id from refund where status = 'requested' and expires_on < today order by refund_id loop
		perform from provider where provider_id = due.provider_id for update;
		select * into r from refund where refund_id = due.refund_id and status = 'requested' and expires_on < today;
		if found then
			perform refund_end(ctx, r, 'expired', null);
			n := n + 1;
		end if;
	end loop;
	return n;
end $$;

-- ---- what callers do ----

-- The refund of args.refund_id with its provider locked; null: there is none.
create or replace function refund_locked(args jsonb) returns refund language plpgsql as $$
declare
	r refund;
begin
	perform from provider where provider_id = (select provider_id from refund where refund_id = args->>'refund_id') for update;
	select * into r from refund where refund_id = args->>'refund_id';
	return r;
end $$;

-- args: provider_id, amount_fen?, reason
create or replace function op_refund_request(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	p provider;
	r refund;
begin
	select * into p from provider where provider_id = args->>'provider_id' for update;
	if not found then return answer_problem('not_found'); end if;
	r := refund_request(ctx, p.provider_id, (args->>'amount_fen')::bigint, args->>'reason');
	if r.refund_id is null then
		return answer_problem('insufficient_balance', coalesce(args->>'amount_fen', '1'), (p.balance_fen - p.held_fen)::text);
	end if;
	return answer_refund(r, 201, '/v1/refunds/' || r.refund_id);
end $$;

-- By another person than asked, and of exactly what was asked: a refund that has become less since must be named as it is now.
-- args: refund_id, amount_fen?, version?, note?
create or replace function op_refund_approve(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before refund := refund_locked(args);
	r refund;
begin
	if before.refund_id is null then return answer_problem('not_found'); end if;
	if before.status <> 'requested' then return wrong_state('refund', before.status, 'requested'); end if;
	if before.requested_by = actor_of(ctx) then return answer_problem('same_actor'); end if;
	if coalesce((args->>'amount_fen')::bigint, case when args->>'version' is null then before.requested_fen else before.amount_fen end)
			<> before.amount_fen
		or (args->>'version')::bigint <> before.version then
		return answer_problem('refund_changed', before.amount_fen::text, before.version::text);
	end if;
	update refund set status = 'approved', approved_on = assay_today(), approved_by = actor_of(ctx), note = coalesce(args->>'note', note)
		where refund_id = before.refund_id returning * into r;
	perform refund_happened(ctx, 'refund.approved', before, r);
	return answer_refund(r);
end $$;

-- The bank has paid. args: refund_id, external_reference?, note?
create or replace function op_refund_settle(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before refund := refund_locked(args);
	e posted;
	r refund;
begin
	if before.refund_id is null then return answer_problem('not_found'); end if;
	if before.status <> 'approved' then return wrong_state('refund', before.status, 'approved'); end if;
	e := refund_post(ctx, before, 'refund', before.amount_fen, args->>'external_reference');
	if e.entry_id is null then return answer_problem('external_reference_taken', 'refund', args->>'external_reference'); end if;
	update refund set status = 'settled', ended_on = assay_today(), entry_id = e.entry_id, note = coalesce(args->>'note', note)
		where refund_id = before.refund_id returning * into r;
	perform refund_happened(ctx, 'refund.settled', before, r);
	return answer_refund(r);
end $$;

-- It is not to be paid, or could not be. args: refund_id, note?
create or replace function op_refund_fail(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before refund := refund_locked(args);
begin
	if before.refund_id is null then return answer_problem('not_found'); end if;
	if before.status not in ('requested', 'approved') then return wrong_state('refund', before.status, 'requested, approved'); end if;
	return answer_refund(refund_end(ctx, before, 'failed', args->>'note'));
end $$;
