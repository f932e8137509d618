-- API keys. The secret never reaches the database: only its SHA-256, and the first characters to recognise it by.

create or replace function key_body(k api_key) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		k.key_id, k.name, k.role, k.provider_id, k.prefix, instant(k.created_at) as created_at, instant(k.expires_at) as expires_at,
		instant(k.last_used_at) as last_used_at, instant(k.revoked_at) as revoked_at) x
$$;

create or replace function key_insert(ctx jsonb, p_role text, p_name text, p_provider_id text, p_hash text, p_prefix text,
	p_expires_at timestamptz) returns api_key language plpgsql as $$
declare
	k api_key;
begin
	insert into api_key (key_id, hash, prefix, name, role, provider_id, expires_at)
	values (new_id('key'), decode(p_hash, 'hex'), p_prefix, p_name, p_role, p_provider_id, p_expires_at)
	returning * into k;
	perform audit_add(ctx, 'key.created', k.key_id, null, key_body(k)::jsonb);
	perform event_add('key.created', k.provider_id, k.key_id, jsonb_build_object('role', k.role));
	return k;
end $$;

-- For the command line, which is trusted as whoever may reach the database is. Null: there is no such provider.
create or replace function key_add(p_role text, p_name text, p_provider_id text, p_hash text, p_prefix text) returns text
language plpgsql as $$
begin
	if p_provider_id is not null and not exists (select from provider where provider_id = p_provider_id) then
		return null;
	end if;
	return (key_insert('{"request_id": "command-line", "key_id": "system", "key_name": "command line"}', p_role, p_name,
		p_provider_id, p_hash, p_prefix, null)).key_id;
end $$;

-- args: role, name, provider_id?, expires_at?, hash, prefix, sealed: what the caller's own key opens (handlers/key_seal.h)
create or replace function op_key_create(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	k api_key;
	until timestamptz := (args->>'expires_at')::timestamptz;
	faults jsonb := '[]';
begin
	if args->>'provider_id' is not null and not exists (select from provider where provider_id = args->>'provider_id') then
		faults := faults || fault('/provider_id', 'unknown_id', args->>'provider_id');
	end if;
	if until <= now() then
		faults := faults || fault('/expires_at', 'must_be_before', instant(now()), instant(until));
	end if;
	if faults <> '[]' then return answer_faults(faults); end if;
	k := key_insert(ctx, args->>'role', args->>'name', args->>'provider_id', args->>'hash', args->>'prefix', until);
	return answer_body(201, left(key_body(k), -1) || ',"key":' || to_json(args->>'sealed') || '}');
end $$;

-- Refused from now on. Again: nothing changes. args: key_id
create or replace function op_key_revoke(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before api_key;
	k api_key;
begin
	select * into before from api_key where key_id = args->>'key_id' for update;
	if not found then return answer_problem('not_found'); end if;
	if before.revoked_at is null then
		update api_key set revoked_at = clock_timestamp() where key_id = before.key_id returning * into k;
		perform audit_add(ctx, 'key.revoked', k.key_id, key_body(before)::jsonb, key_body(k)::jsonb);
		perform event_add('key.revoked', k.provider_id, k.key_id, jsonb_build_object('role', k.role));
	end if;
	return answer_body(204, null);
end $$;
