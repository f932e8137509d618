-- A provider: its resource, and the one way in which its status changes.

create or replace function provider_body(p provider) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		p.provider_id, p.credit_code, p.name, p.service_categories, p.region, p.industry, p.main_category, p.contact,
		p.status, p.since, p.application_id, p.revoked_on, p.reapply_from, p.version,
		instant(p.created_at) as created_at, instant(p.updated_at) as updated_at) x
$$;

-- Whatever changes a provider makes a new version of it, and its body with it.
create or replace function provider_keep_body() returns trigger language plpgsql as $$
begin
	if tg_op = 'UPDATE' then
		new.version := old.version + 1;
		new.updated_at := clock_timestamp();
	end if;
	new.body := provider_body(new);
	return new;
end $$;
create or replace trigger z_body before insert or update on provider for each row execute function provider_keep_body();

-- A provider as the audit log keeps it: without the contact, which is personal data.
create or replace function provider_audited(p provider) returns jsonb language sql stable as $$
	select p.body::jsonb - 'contact'
$$;

-- The provider moves on: status, history, audit entry and event at once. `cause`: id of the application, period or decision.
-- A move that rules.md does not know is refused by trigger (a_lifecycle).
create or replace function provider_transition(p_provider_id text, p_to text, p_since date, p_cause text, ctx jsonb) returns void
language plpgsql as $$
declare
	p provider;
	happened text := 'provider.' || case p_to when 'trial' then 'trial_began' else p_to end;
begin
	select * into strict p from provider where provider_id = p_provider_id for update;
	update provider set status = p_to, since = p_since where provider_id = p_provider_id;
	insert into provider_status (provider_id, seq, status, since, cause)
		select p_provider_id, coalesce(max(seq), 0) + 1, p_to, p_since, p_cause from provider_status where provider_id = p_provider_id;
	perform audit_add(ctx, happened, p_provider_id, jsonb_build_object('status', p.status, 'since', p.since),
		jsonb_build_object('status', p_to, 'since', p_since, 'cause', p_cause));
	perform event_add(happened, p_provider_id, p_provider_id,
		jsonb_build_object('from', p.status, 'to', p_to, 'since', p_since, 'cause', p_cause));
end $$;

-- Certification lost (3.3): from the day after the failed period, and no new application for the cool-down (5) that the
-- period's newest policy states.
create or replace function provider_revoke(p_period_id text, p_cause text, ctx jsonb) returns void language plpgsql as $$
declare
	d period;
	from_day date;
begin
	select * into strict d from period where period_id = p_period_id;
	from_day := d.end_day + 1;
	perform provider_transition(d.provider_id, 'revoked', from_day, p_cause, ctx);
	update provider set revoked_on = from_day, reapply_cause = 'revoked',
		reapply_from = from_day + policy_admission_days(d.policies, 'reapply_cooldown_days')
		where provider_id = d.provider_id;
end $$;

-- The trial ended unmet (3.2): free to apply again after the policy's cool-down, which is 0 unless it says otherwise.
create or replace function provider_fail_trial(p_period_id text, p_cause text, ctx jsonb) returns void language plpgsql as $$
declare
	d period;
	from_day date;
	days integer;
begin
	select * into strict d from period where period_id = p_period_id;
	from_day := d.end_day + 1;
	days := policy_admission_days(d.policies, 'trial_failed_cooldown_days');
	perform provider_transition(d.provider_id, 'trial_failed', from_day, p_cause, ctx);
	update provider set reapply_cause = case when days > 0 then 'trial_failed' end,
		reapply_from = case when days > 0 then from_day + days end
		where provider_id = d.provider_id;
end $$;
