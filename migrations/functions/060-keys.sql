-- API keys. The secret never reaches the database: only its keyed hash, and the first characters to recognise it by.

create or replace function key_body(k api_key) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		k.key_id, k.name, k.role, k.provider_id, k.prefix, k.requests_per_second, instant(k.created_at) as created_at,
		instant(k.expires_at) as expires_at, instant(k.last_used_at) as last_used_at, instant(k.revoked_at) as revoked_at,
		k.replaces, (select s.key_id from api_key s where s.replaces = k.key_id) as replaced_by) x
$$;

-- k: name, role, provider_id, requests_per_second, expires_at, hash, prefix, and of the key that it replaces replaces and actor_id.
create or replace function key_insert(ctx jsonb, k api_key) returns api_key language plpgsql as $$
begin
	k.key_id := new_id('key');
	k.actor_id := coalesce(k.actor_id, k.key_id);
	k.created_at := clock_timestamp();
	insert into api_key select k.*;
	perform audit_add(ctx, 'key.created', k.key_id, null, key_body(k)::jsonb);
	perform event_add('key.created', k.provider_id, k.key_id, jsonb_build_object('role', k.role));
	return k;
end $$;

-- For the command line, which is trusted as whoever may reach the database is. Null: there is no such provider.
create or replace function key_add(p_role text, p_name text, p_provider_id text, p_hash text, p_prefix text) returns text
language plpgsql as $$
declare
	k api_key;
begin
	if p_provider_id is not null and not exists (select from provider where provider_id = p_provider_id) then
		return null;
	end if;
	k.role := p_role;
	k.name := p_name;
	k.provider_id := p_provider_id;
	k.hash := decode(p_hash, 'hex');
	k.prefix := p_prefix;
	return (key_insert('{"request_id": "command-line", "key_id": "system", "key_name": "command line"}', k)).key_id;
end $$;

-- A new key, as it is answered: with the seal, of which the caller's own key makes the secret (handlers/key_seal.h).
create or replace function key_answer(k api_key, args jsonb) returns answer language sql stable as $$
	select answer_body(201, left(key_body(k), -1) || ',"key":' || to_json(args->>'sealed') || '}', null, '/v1/keys/' || k.key_id)
$$;

-- args: role, name, provider_id?, expires_at?, requests_per_second?, hash, prefix, sealed
create or replace function op_key_create(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	k api_key := jsonb_populate_record(null::api_key, args - 'hash');
	faults jsonb := '[]';
begin
	if k.provider_id is not null and not exists (select from provider where provider_id = k.provider_id) then
		faults := faults || fault('/provider_id', 'unknown_id', k.provider_id);
	end if;
	if k.expires_at <= now() then
		faults := faults || fault('/expires_at', 'must_be_before', instant(now()), instant(k.expires_at));
	end if;
	if faults <> '[]' then return answer_faults(faults); end if;
	k.hash := decode(args->>'hash', 'hex');
	return key_answer(key_insert(ctx, k), args);
end $$;

create or replace function key_state(k api_key) returns text language sql stable as $$
	select case when k.revoked_at is not null then 'revoked'
		when k.expires_at <= now() then 'expired'
		when exists (select from api_key s where s.replaces = k.key_id) then 'replaced'
		else 'active' end
$$;

-- A successor that may do the same; the key itself works on for the overlap. Without expires_at the successor lives as long as
-- the key was made to live. args: key_id, overlap_seconds, expires_at?, hash, prefix, sealed
create or replace function op_key_rotate(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	before api_key;
	k api_key;
	successor api_key;
begin
	select * into before from api_key where key_id = args->>'key_id' for update;
	if not found then return answer_problem('not_found'); end if;
	if key_state(before) <> 'active' then return wrong_state('key', key_state(before), 'active'); end if;
	successor := before;
	successor.expires_at := coalesce((args->>'expires_at')::timestamptz, now() + (before.expires_at - before.created_at));
	if successor.expires_at <= now() then
		return answer_faults(jsonb_build_array(fault('/expires_at', 'must_be_before', instant(now()), instant(successor.expires_at))));
	end if;
	successor.hash := decode(args->>'hash', 'hex');
	successor.prefix := args->>'prefix';
	successor.replaces := before.key_id;
	successor.last_used_at := null;
	successor := key_insert(ctx, successor);
	update api_key set expires_at = least(expires_at, now() + make_interval(secs => (args->>'overlap_seconds')::integer))
	where key_id = before.key_id returning * into k;
	perform audit_add(ctx, 'key.rotated', k.key_id, key_body(before)::jsonb, key_body(k)::jsonb);
	perform event_add('key.rotated', k.provider_id, k.key_id, jsonb_build_object('role', k.role, 'replaced_by', successor.key_id));
	return key_answer(successor, args);
end $$;

-- A partner's keys that have no provider yet get the one that was registered with them.
create or replace function key_bind(ctx jsonb, p_provider_id text) returns void language plpgsql as $$
declare
	k api_key;
begin
	for k in update api_key set provider_id = p_provider_id where actor_id = actor_of(ctx) returning * loop
		perform audit_add(ctx, 'key.bound', k.key_id, '{"provider_id": null}', jsonb_build_object('provider_id', p_provider_id));
	end loop;
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

-- The pepper itself is nobody's to see; that it was made, and where it is kept, is.
create or replace function pepper_changed() returns trigger language plpgsql as $$
declare
	kept text := case when new.pepper is null then 'file' else 'database' end;
begin
	perform audit_add('{"request_id": "command-line", "key_id": "system", "key_name": "command line"}',
		case tg_op when 'INSERT' then 'pepper.made' else 'pepper.moved' end, 'pepper',
		case tg_op when 'UPDATE' then jsonb_build_object('kept', case when old.pepper is null then 'file' else 'database' end) end,
		jsonb_build_object('kept', kept));
	return null;
end $$;
create or replace trigger audited after insert or update on key_pepper for each row execute function pepper_changed();
