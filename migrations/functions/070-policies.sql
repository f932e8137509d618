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

-- args: document (canonical JSON, checked by model/rules/policy.c), sha256. The same version with the same document again
-- changes nothing.
create or replace function op_policy_publish(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	d json := (args->>'document')::json;
	p policy;
begin
	perform pg_advisory_xact_lock(4244, hashtext(d->>'policy_id'));
	select * into p from policy where policy_id = d->>'policy_id' and version = d->>'version';
	if found and p.status = 'published' then
		if p.sha256 = args->>'sha256' then return answer_body(200, p.document); end if;
		return wrong_state('policy', 'published', 'new');
	end if;
	select * into p from policy where policy_id = d->>'policy_id' and status = 'published'
		and effective_from = (d->>'effective_from')::date;
	if found then
		return answer_faults(jsonb_build_array(fault('/effective_from', 'given_twice', policy_ref(p.policy_id, p.version))));
	end if;
	insert into policy (policy_id, version, industry, effective_from, example, status, document, sha256, published_at)
	values (d->>'policy_id', d->>'version', d->>'industry', (d->>'effective_from')::date, (d->>'example')::boolean, 'published',
		args->>'document', args->>'sha256', clock_timestamp())
	on conflict (policy_id, version) do update set industry = excluded.industry, effective_from = excluded.effective_from,
		example = excluded.example, status = 'published', document = excluded.document, sha256 = excluded.sha256,
		published_at = excluded.published_at
	returning * into p;
	perform audit_add(ctx, 'policy.published', policy_ref(p.policy_id, p.version), null, p.document::jsonb);
	perform event_add('policy.published', null, policy_ref(p.policy_id, p.version),
		jsonb_build_object('industry', p.industry, 'effective_from', p.effective_from, 'sha256', p.sha256));
	perform policy_takes_hold(p, ctx);
	return answer_body(201, p.document, p.sha256, '/v1/policies/' || policy_ref(p.policy_id, p.version));
end $$;
