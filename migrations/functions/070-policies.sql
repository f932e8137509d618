-- Publishing a policy: a version is written once and never changes; what it changes for those already under way is done here.

create or replace function policy_changed_period(before period, after period, ctx jsonb) returns void language sql as $$
	select audit_add(ctx, 'period.policies_changed', after.period_id, period_audited(before), period_audited(after))
	where period_audited(before) <> period_audited(after)
$$;

-- A later version of the policy says what a running trial is judged by as well (preamble), and fills in a deposit that the
-- version an application was made under left open (4.1).
create or replace function policy_takes_hold(p policy, ctx jsonb) returns void language plpgsql as $$
declare
	changed record;
	waiting record;
begin
	for changed in
		update period d
		set end_day = period_last_day(a.policy_id, a.policy_version, d.stage, d.start_day),
			scheduled_end = period_last_day(a.policy_id, a.policy_version, d.stage, d.start_day),
			policies = period_policies(a.policy_id, a.policy_version, d.stage, d.start_day,
				period_last_day(a.policy_id, a.policy_version, d.stage, d.start_day)),
			version = d.version + 1, facts_version = d.facts_version + 1
		from application a, period o
		where a.application_id = d.application_id and a.policy_id = p.policy_id and d.status = 'scheduled' and o.period_id = d.period_id
		returning d as after, o as before
	loop
		perform policy_changed_period(changed.before, changed.after, ctx);
	end loop;
	for changed in
		update period d
		set policies = d.policies || policy_ref(p.policy_id, p.version), version = d.version + 1, facts_version = d.facts_version + 1
		from application a, period o
		where a.application_id = d.application_id and a.policy_id = p.policy_id and o.period_id = d.period_id
			and d.status in ('open', 'awaiting_data') and d.stage = 'trial'
			and p.effective_from > d.start_day and p.effective_from <= d.end_day
			and policy_months(p, d.stage) = policy_months(policy_of(d.policies[1]), d.stage)
		returning d as after, o as before
	loop
		perform policy_changed_period(changed.before, changed.after, ctx);
	end loop;
	if policy_admission(p, 'deposit_fen') is null then return; end if;
	for waiting in
		update application a
		set deposit_fen = policy_admission(p, 'deposit_fen')::bigint, deposit_policy = policy_ref(p.policy_id, p.version),
			example = a.example or p.example
		from provider v
		where v.application_id = a.application_id and v.status in ('applied', 'admitted')
			and a.policy_id = p.policy_id and a.deposit_fen is null
		returning a.provider_id, a.application_id
	loop
		update provider set policy = policy_ref(p.policy_id, p.version) where provider_id = waiting.provider_id;
		perform audit_add(ctx, 'application.deposit_configured', waiting.application_id,
			jsonb_build_object('provider_id', waiting.provider_id, 'deposit_fen', null),
			jsonb_build_object('provider_id', waiting.provider_id, 'deposit_fen', policy_admission(p, 'deposit_fen')::bigint,
				'policy', policy_ref(p.policy_id, p.version)));
		perform schedule_trial(waiting.provider_id, ctx);
	end loop;
end $$;

-- A version by its name, locked; versions of one policy are made and published one at a time.
create or replace function policy_locked(p_policy_id text, p_version text) returns policy language plpgsql as $$
declare
	p policy;
begin
	perform pg_advisory_xact_lock(4244, hashtext(p_policy_id));
	select * into p from policy where policy_id = p_policy_id and version = p_version for update;
	return p;
end $$;

-- A draft's tag is not that of the same document once it is published.
create or replace function policy_etag(p policy) returns text language sql immutable as $$
	select case p.status when 'draft' then 'draft-' else '' end || p.sha256
$$;

create or replace function policy_answer(p policy, status integer default 200) returns answer language sql immutable as $$
	select answer_body(status, p.document, policy_etag(p), case status when 201 then '/v1/policies/' || policy_ref(p.policy_id, p.version) end)
$$;

create or replace function policy_stale(p policy) returns answer language sql immutable as $$
	select row(null, 'version_stale', '{}', null, null, null, policy_etag(p), null)::answer
$$;

-- if_match: an array of tags, or null for any.
create or replace function policy_matches(p policy, if_match jsonb) returns boolean language sql immutable as $$
	select coalesce(jsonb_typeof(if_match), 'null') <> 'array' or if_match ? policy_etag(p)
$$;

create or replace function policy_happened(p_type text, before policy, after policy, ctx jsonb) returns void language plpgsql as $$
declare
	p policy := coalesce(after, before);
begin
	perform audit_add(ctx, p_type, policy_ref(p.policy_id, p.version), before.document::jsonb, after.document::jsonb);
	perform event_add(p_type, null, policy_ref(p.policy_id, p.version),
		jsonb_build_object('industry', p.industry, 'effective_from', p.effective_from, 'sha256', p.sha256));
end $$;

-- ---- drafts. args: document (canonical JSON, checked by model/rules/policy.c), sha256 ----

create or replace function op_policy_draft(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	d json := (args->>'document')::json;
	p policy := policy_locked(d->>'policy_id', d->>'version');
begin
	if p.policy_id is not null then return wrong_state('policy', p.status, 'new'); end if;
	insert into policy (policy_id, version, industry, effective_from, example, status, document, sha256, created_by)
	values (d->>'policy_id', d->>'version', d->>'industry', (d->>'effective_from')::date, (d->>'example')::boolean, 'draft',
		args->>'document', args->>'sha256', actor_of(ctx))
	returning * into p;
	perform policy_happened('policy.drafted', null, p, ctx);
	return policy_answer(p, 201);
end $$;

-- args besides: policy_id, version, if_match. The same document once more changes nothing, whatever it was read as: so a retry
-- after a lost answer is answered.
create or replace function op_policy_replace(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	d json := (args->>'document')::json;
	before policy := policy_locked(args->>'policy_id', args->>'version');
	p policy;
begin
	if before.policy_id is null then return answer_problem('not_found'); end if;
	if before.status <> 'draft' then return wrong_state('policy', before.status, 'draft'); end if;
	if before.sha256 = args->>'sha256' then return policy_answer(before); end if;
	if not policy_matches(before, args->'if_match') then return policy_stale(before); end if;
	update policy set industry = d->>'industry', effective_from = (d->>'effective_from')::date, example = (d->>'example')::boolean,
		document = args->>'document', sha256 = args->>'sha256'
		where policy_id = before.policy_id and version = before.version returning * into p;
	perform policy_happened('policy.replaced', before, p, ctx);
	return policy_answer(p);
end $$;

-- args: policy_id, version, if_match
create or replace function op_policy_delete(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	p policy := policy_locked(args->>'policy_id', args->>'version');
begin
	if p.policy_id is null then return answer_problem('not_found'); end if;
	if p.status <> 'draft' then return wrong_state('policy', p.status, 'draft'); end if;
	if not policy_matches(p, args->'if_match') then return policy_stale(p); end if;
	delete from policy where policy_id = p.policy_id and version = p.version;
	perform policy_happened('policy.deleted', p, null, ctx);
	return answer_body(204, null);
end $$;

-- ---- publishing ----

-- Why a version cannot be published; null: it can.
create or replace function policy_obstacle(p_policy_id text, p_version text, p_effective_from date) returns answer language sql stable as $$
	select answer_faults(jsonb_build_array(fault('/effective_from', 'given_twice', policy_ref(p.policy_id, p.version)))) from policy p
	where policy_id = p_policy_id and status = 'published' and effective_from = p_effective_from and version <> p_version
$$;

-- Writes the version as published, over its draft if there is one, and does what follows from it.
create or replace function policy_publish(before policy, args jsonb, ctx jsonb) returns policy language plpgsql as $$
declare
	d json := (args->>'document')::json;
	p policy;
begin
	insert into policy (policy_id, version, industry, effective_from, example, status, document, sha256, created_by, published_by,
		published_at)
	values (d->>'policy_id', d->>'version', d->>'industry', (d->>'effective_from')::date, (d->>'example')::boolean, 'published',
		args->>'document', args->>'sha256', actor_of(ctx), actor_of(ctx), clock_timestamp())
	on conflict (policy_id, version) do update set industry = excluded.industry, effective_from = excluded.effective_from,
		example = excluded.example, status = 'published', document = excluded.document, sha256 = excluded.sha256,
		published_by = excluded.published_by, published_at = excluded.published_at
	returning * into p;
	if before.document is not distinct from p.document then
		before.document := null; -- the document stays as it was drafted; that it is in force from now on is what is new
	end if;
	perform policy_happened('policy.published', before, p, ctx);
	perform policy_takes_hold(p, ctx);
	return p;
end $$;

-- args: document (canonical JSON, checked by model/rules/policy.c), sha256. The same version with the same document again
-- changes nothing. With policy_id, version, draft_sha256 and if_match: publishes that draft, as `document`, which may give it another
-- effective day; `again` when the draft is not that one any more.
create or replace function op_policy_publish(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	d json := (args->>'document')::json;
	before policy := policy_locked(d->>'policy_id', d->>'version');
	of_draft boolean := args ? 'draft_sha256';
	refused answer;
begin
	if of_draft and before.policy_id is null then return answer_problem('not_found'); end if;
	if before.status = 'published' and (of_draft or before.sha256 <> args->>'sha256') then
		return wrong_state('policy', 'published', case when of_draft then 'draft' else 'new' end);
	end if;
	if before.status = 'published' then return policy_answer(before); end if;
	if of_draft and not policy_matches(before, args->'if_match') then return policy_stale(before); end if;
	if of_draft and before.sha256 <> args->>'draft_sha256' then return answer_problem('again'); end if;
	refused := policy_obstacle(d->>'policy_id', d->>'version', (d->>'effective_from')::date);
	if refused.code is not null then return refused; end if;
	return policy_answer(policy_publish(before, args, ctx), case when of_draft then 200 else 201 end);
end $$;
