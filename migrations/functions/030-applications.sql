-- Applications: what was decided in C (model/rules/admission.c) on a snapshot is written here only if the provider is still
-- of the version and the day that it was decided on; else the answer is `again`.

create or replace function application_body(a application) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		a.application_id, a.provider_id, a.status, policy_ref(a.policy_id, a.policy_version) as policy, a.example, a.documents,
		a.checks, a.submitted_on, a.decided_on, a.reason, a.note, instant(a.created_at) as created_at,
		instant(a.updated_at) as updated_at) x
$$;

create or replace function application_keep() returns trigger language plpgsql as $$
begin
	new.version := old.version + 1;
	new.updated_at := clock_timestamp();
	return new;
end $$;
create or replace trigger z_version before update on application for each row execute function application_keep();

create or replace function application_audited(a application) returns jsonb language sql stable as $$
	select jsonb_build_object('application_id', a.application_id, 'provider_id', a.provider_id, 'status', a.status,
		'policy', policy_ref(a.policy_id, a.policy_version), 'submitted_on', a.submitted_on, 'decided_on', a.decided_on,
		'reason', a.reason, 'note', a.note)
$$;

-- Which documents it came with, by what they are; their names may name people.
create or replace function application_documents(a application) returns jsonb language sql stable as $$
	select jsonb_build_object('documents', coalesce(jsonb_agg(jsonb_build_object('kind', d->'kind', 'sha256', d->'sha256')), '[]'))
	from json_array_elements(a.documents) d
$$;

create or replace function application_happened(p_type text, before application, after application, ctx jsonb) returns void
language plpgsql as $$
begin
	perform audit_add(ctx, p_type, after.application_id,
		case when before.application_id is not null then application_audited(before) end,
		application_audited(after) || case when before.application_id is null then application_documents(after) else '{}' end);
	perform event_add(p_type, after.provider_id, after.application_id, application_audited(after));
end $$;

-- args: provider_id, expected_version, today, policy ('id@version'), documents and checks (JSON as text: its members keep their
-- order)
create or replace function op_application_submit(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	p provider;
	pol policy := policy_of(args->>'policy');
	a application;
begin
	select * into p from provider where provider_id = args->>'provider_id' for update;
	if p.version is distinct from (args->>'expected_version')::bigint or assay_today() <> (args->>'today')::date then
		return answer_problem('again');
	end if;
	insert into application (application_id, provider_id, status, policy_id, policy_version, documents, checks, submitted_on,
		deposit_fen, deposit_policy, example)
	values (new_id('app'), p.provider_id, 'submitted', pol.policy_id, pol.version, (args->>'documents')::json, (args->>'checks')::json,
		assay_today(), policy_admission(pol, 'deposit_fen')::bigint, args->>'policy', pol.example)
	returning * into a;
	update provider set application_id = a.application_id, policy = a.deposit_policy where provider_id = p.provider_id;
	perform application_happened('application.submitted', null, a, ctx);
	perform provider_transition(p.provider_id, 'applied', assay_today(), a.application_id, ctx);
	return answer_body(201, application_body(a), 'v' || a.version, '/v1/applications/' || a.application_id);
end $$;

-- The application of args.application_id with its provider locked, or null when there is none that the caller may see.
create or replace function application_locked(ctx jsonb, args jsonb) returns application language plpgsql as $$
declare
	a application;
begin
	select * into a from application where application_id = args->>'application_id';
	if not found or (ctx->>'role' = 'partner' and a.provider_id is distinct from ctx->>'provider_id') then
		return null;
	end if;
	perform from provider where provider_id = a.provider_id for update;
	select * into a from application where application_id = a.application_id for update;
	return a;
end $$;

-- args: application_id, expected_version (the provider's), today, checks (as text), note?
create or replace function op_application_approve(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before application := application_locked(ctx, args);
	a application;
begin
	if before.application_id is null then return answer_problem('not_found'); end if;
	if before.status <> 'submitted' then return wrong_state('application', before.status, 'submitted'); end if;
	if assay_today() <> (args->>'today')::date or (args->>'expected_version')::bigint
		<> (select version from provider where provider_id = before.provider_id) then
		return answer_problem('again');
	end if;
	update application set status = 'approved', decided_on = assay_today(), checks = (args->>'checks')::json, note = args->>'note'
		where application_id = before.application_id returning * into a;
	update provider set reapply_from = null, reapply_cause = null -- what a waiver lifts goes on: for another application it counts again
		where provider_id = a.provider_id and reapply_from <= assay_today();
	perform application_happened('application.approved', before, a, ctx);
	perform provider_transition(a.provider_id, 'admitted', assay_today(), a.application_id, ctx);
	perform schedule_trial(a.provider_id, ctx);
	return answer_body(200, application_body(a), 'v' || a.version);
end $$;

-- args: application_id, reason
create or replace function op_application_reject(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before application := application_locked(ctx, args);
	a application;
begin
	if before.application_id is null then return answer_problem('not_found'); end if;
	if before.status <> 'submitted' then return wrong_state('application', before.status, 'submitted'); end if;
	update application set status = 'rejected', decided_on = assay_today(), reason = args->>'reason'
		where application_id = before.application_id returning * into a;
	perform application_happened('application.rejected', before, a, ctx);
	perform provider_transition(a.provider_id, 'rejected', assay_today(), a.application_id, ctx);
	return answer_body(200, application_body(a), 'v' || a.version);
end $$;

-- Possible until the trial begins; a trial that was scheduled is dropped. args: application_id, note?
create or replace function op_application_withdraw(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before application := application_locked(ctx, args);
	provider_now text;
	a application;
begin
	if before.application_id is null then return answer_problem('not_found'); end if;
	select status into provider_now from provider
		where provider_id = before.provider_id and application_id = before.application_id;
	if before.status not in ('submitted', 'approved') then
		return wrong_state('application', before.status, 'submitted, approved');
	elsif provider_now is null or provider_now not in ('applied', 'admitted') then
		return wrong_state('provider', coalesce(provider_now, (select status from provider where provider_id = before.provider_id)),
			'applied, admitted');
	end if;
	perform period_cancel(d, ctx) from period d where provider_id = before.provider_id and status = 'scheduled';
	update application set status = 'withdrawn', decided_on = assay_today(), note = args->>'note'
		where application_id = before.application_id returning * into a;
	perform application_happened('application.withdrawn', before, a, ctx);
	perform provider_transition(a.provider_id, 'withdrawn', assay_today(), a.application_id, ctx);
	return answer_body(200, application_body(a), 'v' || a.version);
end $$;
