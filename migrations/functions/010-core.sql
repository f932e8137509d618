-- Ids, the clock, and api_write(): the one way in for every change a caller asks for. What every write calls is PL/pgSQL where a
-- function in SQL could not be inlined: that one would be planned anew at each call, this one once a connection.

-- A typed, time-ordered, opaque id: prefix_ + 12 hex digits of milliseconds + 16 of randomness.
create or replace function new_id(prefix text) returns text language sql volatile parallel safe as $$
	select prefix || '_' || lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
		|| right(replace(gen_random_uuid()::text, '-', ''), 16)
$$;

create or replace function shanghai_today() returns date language sql stable as $$
	select (now() at time zone 'Asia/Shanghai')::date
$$;

-- Today, by the one clock: the test clock's day in a sandbox where it was set, else the civil day in Shanghai.
create or replace function assay_today() returns date language plpgsql stable as $$
begin
	return coalesce((select today from clock), shanghai_today());
end $$;

-- 2023-03-20T01:02:03.456Z
create or replace function instant(t timestamptz) returns text language plpgsql immutable as $$
begin
	return to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
end $$;

do $$ begin
	create type answer as (status integer, code text, args text[], errors jsonb, extra json, body text, etag text, location text);
exception when duplicate_object then null; end $$;

create or replace function answer_body(status integer, body text, etag text default null, location text default null)
returns answer language sql immutable as $$
	select row(status, null, null, null, null, body, etag, location)::answer
$$;

-- A refusal: a code of the catalogue and its arguments. The HTTP status is the catalogue's, so it is not said twice.
create or replace function answer_problem(code text, variadic args text[] default '{}') returns answer language sql immutable as $$
	select row(null, code, args, null, null, null, null, null)::answer
$$;

-- One entry of errors[].
create or replace function fault(pointer text, code text, variadic args text[] default '{}') returns jsonb language sql immutable as $$
	select jsonb_build_object('pointer', pointer, 'code', code, 'args', to_jsonb(args))
$$;

-- 422 invalid_request with these faults (a JSON array of fault()).
create or replace function answer_faults(faults jsonb) returns answer language sql immutable as $$
	select row(null, 'invalid_request', array[jsonb_array_length(faults)::text], faults, null, null, null, null)::answer
$$;

create or replace function wrong_state(what text, status text, needed text) returns answer language sql immutable as $$
	select answer_problem('wrong_state', what, status, needed)
$$;

-- Whoever acts: the same for a key and the successor that it was rotated to. What two people must do compares this, and
-- idempotency keys belong to it; the audit says which key it was.
create or replace function actor_of(ctx jsonb) returns text language sql immutable as $$
	select coalesce(ctx->>'actor_id', ctx->>'key_id')
$$;

-- The provider that an entry concerns.
create or replace function audit_whom(subject text, before jsonb, after jsonb) returns text language sql immutable as $$
	select coalesce(after->>'provider_id', before->>'provider_id', case when subject like 'prv\_%' then subject end)
$$;

-- Who did what, when, in which request, and what it was before and after; functions/015-audit.sql makes a chain of it. No contact,
-- person id or secret may be in `before` or `after`: see audit_hidden().
create or replace function audit_add(ctx jsonb, action text, subject text, before jsonb, after jsonb) returns void
language plpgsql as $$
begin
	insert into audit (request_id, actor_id, actor_name, action, subject, provider_id, before, after)
	values (ctx->>'request_id', ctx->>'key_id', ctx->>'key_name', audit_add.action, audit_add.subject,
		audit_whom(audit_add.subject, audit_add.before, audit_add.after), audit_add.before, audit_add.after);
end $$;

-- The same for many at once, in their order. Arrays of one length; `befores` null: there was nothing before.
create or replace function audit_add_all(ctx jsonb, actions text[], subjects text[], befores jsonb[], afters jsonb[]) returns void
language plpgsql as $$
begin
	insert into audit (request_id, actor_id, actor_name, action, subject, provider_id, before, after)
	select ctx->>'request_id', ctx->>'key_id', ctx->>'key_name', e.action, e.subject, audit_whom(e.subject, e.before, e.after),
		e.before, e.after
	from unnest(actions, subjects, befores, afters) with ordinality e(action, subject, before, after, n) order by e.n;
end $$;

-- For what follows by trigger from what somebody did: whose transaction this is. Set where a transaction begins to act.
create or replace function audit_act_as(ctx jsonb) returns void language sql as $$
	select set_config('assay.acting', ctx::text, true)
$$;
create or replace function audit_acting() returns jsonb language sql stable as $$
	select coalesce(nullif(current_setting('assay.acting', true), '')::jsonb,
		'{"request_id": "none", "key_id": "system", "key_name": "the database"}')
$$;

create or replace function event_add(type text, provider_id text, subject text, data jsonb) returns void language plpgsql as $$
begin
	insert into event (event_id, type, provider_id, subject, data)
	values (new_id('evt'), event_add.type, event_add.provider_id, event_add.subject, event_add.data);
end $$;

-- The same for many at once; arrays of one length.
create or replace function event_add_all(types text[], provider_ids text[], subjects text[], datas jsonb[]) returns void
language plpgsql as $$
begin
	insert into event (event_id, type, provider_id, subject, data)
	select new_id('evt'), e.type, e.provider_id, e.subject, e.data
	from unnest(types, provider_ids, subjects, datas) with ordinality e(type, provider_id, subject, data, n) order by e.n;
end $$;

do $$ begin
	create type written as (status integer, code text, args text[], errors jsonb, extra json, body text, etag text, location text,
		replayed boolean, request_id text, lang text);
exception when duplicate_object then null; end $$;

-- Runs op_<op>(ctx, args) so that its effect, the idempotency key and the answer commit as one, or not at all.
--   no key            the operation just runs
--   key seen before   the same request: the stored answer; another request: idempotency_key_reused
--   key running now   idempotency_in_flight
--   dry_run           the operation runs and everything it did is undone; nothing is stored
-- A refusal undoes what the operation did before it refused, and is stored under the key like any answer. The code `again`
-- (what the caller decided on has changed) is never stored: the caller decides anew.
create or replace function api_write(ctx jsonb, op text, args jsonb) returns written language plpgsql as $$
declare
	a answer;
	k text := ctx->>'idempotency_key';
	seen idempotency_key;
begin
	if k is not null then
		if not pg_try_advisory_xact_lock(hashtextextended(actor_of(ctx) || chr(1) || k, 4243)) then
			return row(null, 'idempotency_in_flight', null, null, null, null, null, null, false, ctx->>'request_id', ctx->>'lang')::written;
		end if;
		select * into seen from idempotency_key where caller = actor_of(ctx) and key = k;
		if found then
			if seen.request_sha256 <> ctx->>'request_sha256' then
				return row(null, 'idempotency_key_reused', null, null, null, null, null, null, false, ctx->>'request_id', ctx->>'lang')::written;
			end if;
			return row(nullif(seen.status, 0), seen.code, seen.args, seen.errors, seen.extra, seen.body, seen.etag, seen.location,
				true, seen.request_id, seen.lang)::written;
		end if;
	end if;
	perform audit_act_as(ctx);
	begin
		case op
			when 'deposit_entry' then a := op_deposit_entry(ctx, args); -- the busiest: what is executed as text is planned each time
			else execute format('select * from %I($1, $2)', 'op_' || op) into a using ctx, args;
		end case;
		if a.code is not null or (ctx->>'dry_run')::boolean then
			raise exception using errcode = 'AY001'; -- undo what it did; the answer stays in `a`
		end if;
	exception when sqlstate 'AY001' then null;
	end;
	if (ctx->>'dry_run')::boolean then
		a.location := null; -- nothing is there
	end if;
	if k is not null and a.code is distinct from 'again' and not (ctx->>'dry_run')::boolean then
		insert into idempotency_key (caller, key, request_sha256, request_id, lang, status, code, args, errors, extra, body, etag, location)
		values (actor_of(ctx), k, ctx->>'request_sha256', ctx->>'request_id', ctx->>'lang', coalesce(a.status, 0), a.code, a.args,
			a.errors, a.extra, a.body, a.etag, a.location);
	end if;
	return row(a.status, a.code, a.args, a.errors, a.extra, a.body, a.etag, a.location, false, ctx->>'request_id', ctx->>'lang')::written;
end $$;

-- A refusal that the service decided on itself, kept under the idempotency key like any other answer.
create or replace function op_refuse(ctx jsonb, args jsonb) returns answer language sql as $$
	select row(null, args->>'code', (select coalesce(array_agg(x order by n), '{}') from jsonb_array_elements_text(args->'args') with ordinality t(x, n)),
		args->'errors', (args->>'extra')::json, null, null, null)::answer
$$;
