-- Waivers of the cool-down (5): typed, for one cool-down, proposed by one person and confirmed by another, with a last day.

-- What it is today: the last day passes without anybody's doing.
create or replace function waiver_status(w waiver) returns text language sql stable as $$
	select case when w.status <> 'revoked' and w.expires_on < assay_today() then 'expired' else w.status end
$$;

-- The waiver that lifts a provider's cool-down today, the one that holds longest; null when none does. (The statement of
-- qualifications, model/store/qualification.c, says the same in its own words.)
create or replace function waiver_in_force(p provider) returns waiver language sql stable as $$
	select w from waiver w
	where w.provider_id = p.provider_id and w.kind = 'cooldown' and w.status = 'active' and w.expires_on >= assay_today()
		and w.reapply_from = p.reapply_from and p.reapply_from > assay_today()
	order by w.expires_on desc, w.waiver_id desc limit 1
$$;

create or replace function waiver_body(w waiver) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		w.waiver_id, w.provider_id, w.kind, waiver_status(w) as status, w.reason, w.reapply_from, w.reapply_cause, w.expires_on,
		w.proposed_by, w.proposed_on, w.confirmed_by, w.confirmed_on, w.note, w.revoked_by, w.revoked_on, w.revoke_reason,
		instant(w.created_at) as created_at, instant(w.updated_at) as updated_at) x
$$;

-- `status` is not the version's alone: it changes with the day.
create or replace function waiver_etag(w waiver) returns text language sql stable as $$
	select concat('v', w.version, '-', waiver_status(w))
$$;

create or replace function waiver_answer(w waiver) returns answer language sql stable as $$
	select answer_body(200, waiver_body(w), waiver_etag(w))
$$;

-- Audit entry and event. What decides on an admission has read the provider's version: once a waiver is confirmed or revoked, it is
-- another one.
create or replace function waiver_happened(p_type text, before waiver, after waiver, ctx jsonb) returns void language plpgsql as $$
begin
	update provider set reapply_from = reapply_from where provider_id = after.provider_id and before.waiver_id is not null;
	perform audit_add(ctx, p_type, after.waiver_id, case when before.waiver_id is not null then waiver_body(before)::jsonb end,
		waiver_body(after)::jsonb);
	perform event_add(p_type, after.provider_id, after.waiver_id, waiver_body(after)::jsonb);
end $$;

-- There is this cool-down to lift today.
create or replace function is_cooling_down(p provider) returns boolean language sql stable as $$
	select coalesce(p.reapply_from > assay_today(), false)
$$;

-- args: provider_id, kind, reason, expires_on
create or replace function op_waiver_propose(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	p provider;
	w waiver;
	today date := assay_today();
begin
	select * into p from provider where provider_id = args->>'provider_id' for update;
	if not found then return answer_problem('not_found'); end if;
	if (args->>'expires_on')::date < today then
		return answer_faults(jsonb_build_array(fault('/expires_on', 'must_be_before', to_char(today, 'YYYY-MM-DD'), args->>'expires_on')));
	end if;
	if not is_cooling_down(p) then return answer_problem('no_cooldown', p.provider_id); end if;
	insert into waiver (waiver_id, provider_id, kind, reason, reapply_from, reapply_cause, expires_on, proposed_by, proposed_on)
	values (new_id('wvr'), p.provider_id, args->>'kind', args->>'reason', p.reapply_from, p.reapply_cause,
		(args->>'expires_on')::date, actor_of(ctx), today)
	returning * into w;
	perform waiver_happened('waiver.proposed', null, w, ctx);
	return answer_body(201, waiver_body(w), waiver_etag(w), '/v1/waivers/' || w.waiver_id);
end $$;

-- The waiver of args.waiver_id with its provider locked, or null when there is none.
create or replace function waiver_locked(args jsonb) returns waiver language plpgsql as $$
declare
	w waiver;
begin
	select * into w from waiver where waiver_id = args->>'waiver_id';
	perform from provider where provider_id = w.provider_id for update;
	select * into w from waiver where waiver_id = args->>'waiver_id' for update;
	return w;
end $$;

-- By another person than proposed it, while that cool-down lasts. What it says cannot have changed since. args: waiver_id, note?
create or replace function op_waiver_confirm(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before waiver := waiver_locked(args);
	p provider;
	w waiver;
begin
	if before.waiver_id is null then return answer_problem('not_found'); end if;
	if waiver_status(before) <> 'proposed' then return wrong_state('waiver', waiver_status(before), 'proposed'); end if;
	if before.proposed_by = actor_of(ctx) then return answer_problem('same_actor'); end if;
	select * into strict p from provider where provider_id = before.provider_id;
	if not is_cooling_down(p) or p.reapply_from <> before.reapply_from then
		return answer_problem('no_cooldown', p.provider_id);
	end if;
	update waiver set status = 'active', confirmed_by = actor_of(ctx), confirmed_on = assay_today(), note = args->>'note'
		where waiver_id = before.waiver_id returning * into w;
	perform waiver_happened('waiver.confirmed', before, w, ctx);
	return waiver_answer(w);
end $$;

-- Takes it back: the cool-down counts again for whatever is decided from now on. args: waiver_id, reason
create or replace function op_waiver_revoke(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before waiver := waiver_locked(args);
	w waiver;
begin
	if before.waiver_id is null then return answer_problem('not_found'); end if;
	if waiver_status(before) not in ('proposed', 'active') then
		return wrong_state('waiver', waiver_status(before), 'proposed, active');
	end if;
	update waiver set status = 'revoked', revoked_by = actor_of(ctx), revoked_on = assay_today(), revoke_reason = args->>'reason'
		where waiver_id = before.waiver_id returning * into w;
	perform waiver_happened('waiver.revoked', before, w, ctx);
	return waiver_answer(w);
end $$;
