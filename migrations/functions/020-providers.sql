-- A provider: its resource, and the one way in which its status changes.

create or replace function provider_body(p provider) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		p.provider_id, p.credit_code, p.name, p.service_categories, p.region, p.industry, p.main_category,
		(select row_to_json(c) from (select p.contact->>'name' as name, p.contact->>'phone' as phone, p.contact->>'email' as email) c
			where p.contact is not null) as contact,
		p.status, p.since, p.revoked_on, p.reapply_from, p.reapply_cause,
		instant(p.created_at) as created_at, instant(p.updated_at) as updated_at, p.version) x
$$;

-- Whatever changes of what callers see of a provider makes a new version of it, and its body with it.
create or replace function provider_keep_body() returns trigger language plpgsql as $$
begin
	if tg_op = 'UPDATE' then
		new.version := old.version + 1;
		new.updated_at := clock_timestamp();
	end if;
	new.body := provider_body(new);
	return new;
end $$;
create or replace trigger z_body before insert or update of name, service_categories, region, industry, main_category, contact, status,
	since, revoked_on, reapply_from, reapply_cause on provider for each row execute function provider_keep_body();

-- A provider as the audit log keeps it: the contact, which is personal data, only so that a change of it shows.
create or replace function provider_audited(p provider) returns jsonb language sql stable as $$
	select p.body::jsonb || jsonb_build_object('contact', audit_hidden(p.contact))
$$;

-- As events tell of it.
create or replace function provider_told(p provider) returns jsonb language sql stable as $$
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

-- Until when new applications are refused, and why: whatever sets, prolongs or ends that has an entry of its own.
create or replace function provider_cooldown_changed() returns trigger language plpgsql as $$
begin
	perform audit_add(audit_acting(), 'provider.cooldown_changed', new.provider_id,
		jsonb_build_object('revoked_on', old.revoked_on, 'reapply_from', old.reapply_from, 'reapply_cause', old.reapply_cause),
		jsonb_build_object('revoked_on', new.revoked_on, 'reapply_from', new.reapply_from, 'reapply_cause', new.reapply_cause));
	return null;
end $$;
create or replace trigger cooldown after update of revoked_on, reapply_from, reapply_cause on provider for each row
	when ((old.revoked_on, old.reapply_from, old.reapply_cause) is distinct from (new.revoked_on, new.reapply_from, new.reapply_cause))
	execute function provider_cooldown_changed();

-- What a failed period begins. Certification lost: no new application for the cool-down (5) that the period's newest policy states.
-- A trial that ended unmet (3.2): free to apply again after the policy's cool-down, which is 0 unless it says otherwise; a cool-down of
-- an earlier revocation, which a waiver had lifted for this application, ends no sooner for it.
create or replace function provider_cool_down(d period) returns void language plpgsql as $$
declare
	from_day date := d.end_day + 1;
	days integer := policy_admission_days(d.policies, case d.stage when 'trial' then 'trial_failed_cooldown_days' else 'reapply_cooldown_days' end);
begin
	if d.stage = 'trial' then
		update provider set reapply_cause = case when days > 0 then 'trial_failed' end,
			reapply_from = case when days > 0 then from_day + days end
			where provider_id = d.provider_id and coalesce(reapply_from, '-infinity') <= from_day + days;
	else
		update provider set revoked_on = from_day, reapply_cause = 'revoked', reapply_from = from_day + days where provider_id = d.provider_id;
	end if;
end $$;

-- A period that ended unmet: certification lost (3.3), or the trial failed (3.2), from the day after it.
create or replace function provider_fail(d period, p_cause text, ctx jsonb) returns void language plpgsql as $$
begin
	perform provider_transition(d.provider_id, case d.stage when 'trial' then 'trial_failed' else 'revoked' end, d.end_day + 1, p_cause, ctx);
	perform provider_cool_down(d);
end $$;

-- The significant digits of a region code: what every code that it covers begins with.
create or replace function region_prefix(code text) returns text language sql immutable as $$
	select regexp_replace(code, '(00)+$', '')
$$;

create or replace function like_escape(t text) returns text language sql immutable as $$
	select regexp_replace(t, '([\\%_])', '\\\1', 'g')
$$;

-- A page of providers, newest first. Only the filters that are given are in the statement, so that each mix is planned for
-- itself. `whose`: a partner's own.
create or replace function provider_list(after text, n integer, whose text, p_status text, p_region text, p_industry text, q text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select provider_id, body from provider where true'
		|| case when after is not null then ' and provider_id < $1' else '' end
		|| case when whose is not null then ' and provider_id = $2' else '' end
		|| case when p_status is not null then ' and status = $3' else '' end
		|| case when p_region is not null then format(' and region like %L', region_prefix(p_region) || '%') else '' end
		|| case when p_industry is not null then ' and industry = $4' else '' end
		|| case when q is not null then ' and (name ilike $5 or credit_code like $6)' else '' end
		|| ' order by provider_id desc limit $7'
		using after, whose, p_status, p_industry, '%' || like_escape(q) || '%', like_escape(upper(q)) || '%', n;
end $$;

-- RFC 7396 for the contact: null removes it, a null member that member. What has no member left is no contact.
create or replace function contact_merged(contact jsonb, patch jsonb) returns jsonb language sql immutable as $$
	select case when patch is null then contact
		when patch = 'null' then null
		else nullif(jsonb_strip_nulls(coalesce(contact, '{}') || patch), '{}') end
$$;

-- Registers. A partner's key that has no provider yet gets this one; one that has is refused.
-- args: credit_code, name, service_categories, region, industry, main_category, contact?
create or replace function op_provider_register(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	p provider;
	bound boolean;
begin
	if ctx->>'role' = 'partner' then
		select bool_or(k.provider_id is not null) into bound
		from (select provider_id from api_key where actor_id = actor_of(ctx) order by key_id for update) k;
		if coalesce(bound, true) then -- null: a sign-on token, which names its provider itself
			return wrong_state('key', 'bound', 'unbound');
		end if;
	end if;
	insert into provider (provider_id, credit_code, name, service_categories, region, industry, main_category, contact, status, since)
	values (new_id('prv'), args->>'credit_code', args->>'name', array(select jsonb_array_elements_text(args->'service_categories')),
		args->>'region', args->>'industry', args->>'main_category', contact_merged(null, args->'contact'), 'registered', assay_today())
	on conflict (credit_code) do nothing returning * into p;
	if not found then return answer_problem('credit_code_taken', args->>'credit_code'); end if;
	insert into provider_status (provider_id, seq, status, since) values (p.provider_id, 1, 'registered', p.since);
	if ctx->>'role' = 'partner' then
		perform key_bind(ctx, p.provider_id);
	end if;
	perform audit_add(ctx, 'provider.registered', p.provider_id, null, provider_audited(p));
	perform event_add('provider.registered', p.provider_id, p.provider_id, provider_told(p));
	return answer_body(201, p.body, 'v' || p.version, '/v1/providers/' || p.provider_id);
end $$;

-- What a provider is approved for changes only while nothing rests on it.
create or replace function provider_may_change_scope(status text) returns boolean language sql immutable as $$
	select status in ('registered', 'rejected', 'withdrawn', 'trial_failed', 'revoked', 'exited')
$$;

-- args: provider_id, if_match (array of etags, or null for '*'), patch: the members to change
create or replace function op_provider_patch(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before provider;
	p provider;
	patch jsonb := args->'patch';
begin
	select * into before from provider where provider_id = args->>'provider_id' for update;
	if not found then return answer_problem('not_found'); end if;
	if jsonb_typeof(args->'if_match') = 'array' and not (args->'if_match') ? ('v' || before.version) then
		return row(null, 'version_stale', '{}', null, null, null, 'v' || before.version, null)::answer;
	end if;
	p := before;
	p.name := coalesce(patch->>'name', p.name);
	p.contact := contact_merged(p.contact, patch->'contact');
	p.region := coalesce(patch->>'region', p.region);
	p.industry := coalesce(patch->>'industry', p.industry);
	p.main_category := coalesce(patch->>'main_category', p.main_category);
	if patch ? 'service_categories' then
		p.service_categories := array(select jsonb_array_elements_text(patch->'service_categories'));
	end if;
	if (p.region, p.industry, p.main_category, p.service_categories)
		is distinct from (before.region, before.industry, before.main_category, before.service_categories)
		and not provider_may_change_scope(before.status) then
		return wrong_state('provider', before.status, 'registered, rejected, withdrawn, trial_failed, revoked, exited');
	end if;
	if p is not distinct from before then return answer_body(200, before.body, 'v' || before.version); end if;
	update provider set name = p.name, contact = p.contact, region = p.region, industry = p.industry,
		main_category = p.main_category, service_categories = p.service_categories
		where provider_id = p.provider_id returning * into p;
	perform audit_add(ctx, 'provider.updated', p.provider_id, provider_audited(before), provider_audited(p));
	perform event_add('provider.updated', p.provider_id, p.provider_id, provider_told(p));
	return answer_body(200, p.body, 'v' || p.version);
end $$;
