-- A provider: its resource, and the one way in which its status changes.

create or replace function provider_body(p provider) returns text language plpgsql stable as $$
begin
	return (select row_to_json(x)::text from (select
		p.provider_id, p.credit_code, p.name, p.service_categories, p.region, p.industry, p.main_category,
		(select row_to_json(c) from (select p.contact->>'name' as name, p.contact->>'phone' as phone, p.contact->>'email' as email) c
			where p.contact is not null) as contact,
		p.status, p.since, p.revoked_on, p.reapply_from, p.reapply_cause,
		instant(p.created_at) as created_at, instant(p.updated_at) as updated_at, p.version) x);
end $$;

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

-- Providers move on: status, history, audit entry and event at once. `causes`: ids of the applications, periods or decisions.
-- Arrays of one length, in the order in which it is told; no provider twice. A move that rules.md does not know is refused by
-- trigger (a_lifecycle).
create or replace function providers_transition(provider_ids text[], tos text[], sinces date[], causes text[], ctx jsonb) returns void
language plpgsql as $$
declare
	happened text[];
	befores jsonb[];
	afters jsonb[];
	told jsonb[];
begin
	perform from provider where provider_id = any (provider_ids) order by provider_id for update;
	select array_agg('provider.' || case m.status when 'trial' then 'trial_began' else m.status end order by m.n),
		array_agg(jsonb_build_object('status', p.status, 'since', p.since) order by m.n),
		array_agg(jsonb_build_object('status', m.status, 'since', m.since, 'cause', m.cause) order by m.n),
		array_agg(jsonb_build_object('from', p.status, 'to', m.status, 'since', m.since, 'cause', m.cause) order by m.n)
	into happened, befores, afters, told
	from unnest(provider_ids, tos, sinces, causes) with ordinality m(provider_id, status, since, cause, n)
	join provider p using (provider_id);
	if coalesce(cardinality(happened), 0) <> cardinality(provider_ids) then
		raise exception 'not all of these are providers: %', provider_ids using errcode = 'no_data_found';
	end if;
	perform obligations_set(array(select p.provider_id from unnest(provider_ids, tos) with ordinality m(provider_id, status, n)
		join provider p using (provider_id) where p.obligation is not null and not obligation_binds(m.status) order by m.n), null);
	update provider p set status = m.status, since = m.since
		from unnest(provider_ids, tos, sinces) m(provider_id, status, since) where p.provider_id = m.provider_id;
	insert into provider_status (provider_id, seq, status, since, cause)
		select m.provider_id, coalesce((select max(seq) from provider_status s where s.provider_id = m.provider_id), 0) + 1, m.status,
			m.since, m.cause
		from unnest(provider_ids, tos, sinces, causes) m(provider_id, status, since, cause);
	perform audit_add_all(ctx, happened, provider_ids, befores, afters), event_add_all(happened, provider_ids, provider_ids, told);
end $$;

create or replace function provider_transition(p_provider_id text, p_to text, p_since date, p_cause text, ctx jsonb) returns void
language plpgsql as $$
begin
	perform providers_transition(array[p_provider_id], array[p_to], array[p_since], array[p_cause], ctx);
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

-- The significant digits of a region code: what every code that it covers begins with.
create or replace function region_prefix(code text) returns text language sql immutable as $$
	select regexp_replace(code, '(00)+$', '')
$$;

create or replace function like_escape(t text) returns text language sql immutable as $$
	select regexp_replace(t, '([\\%_])', '\\\1', 'g')
$$;

-- As in 0010-lists.sql, made without a query: every change of a provider that the indexes follow asks for it. One may come twice, which
-- is nothing to the index.
create or replace function name_grams(name text) returns text[] language plpgsql immutable as $$
declare
	letters constant text[] := regexp_split_to_array(lower(name), '');
	grams text[] := letters;
begin
	for i in 1 .. cardinality(letters) - 1 loop
		grams := grams || (letters[i] || letters[i + 1]);
	end loop;
	return grams;
end $$;

-- What name_grams() of every name has in which q stands, upper and lower case alike: its pairs of letters, or its only letter.
create or replace function name_grams_asked(q text) returns text[] language sql immutable as $$
	select array(select distinct substr(lower(q), i, 2) from generate_series(1, greatest(length(q) - 1, 1)) i)
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
		|| case when q is not null then ' and (name_grams(name) @> $7 and name ilike $5'
			|| format(' or credit_code::text like %L)', like_escape(upper(q)) || '%') else '' end
		|| ' order by provider_id desc limit $6'
		using after, whose, p_status, p_industry, '%' || like_escape(q) || '%', n, name_grams_asked(q);
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
