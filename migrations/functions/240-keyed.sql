-- Idempotency for work that takes more than one transaction: a worker holds the key while it works, looks for an earlier answer
-- first, and commits the answer with the last of its effects.

-- Takes the key for this session, so that the same key elsewhere is idempotency_in_flight. True when there is none to take.
create or replace function keyed_take(ctx jsonb) returns boolean language sql as $$
	select case when ctx->>'idempotency_key' is null then true
		else pg_try_advisory_lock(hashtextextended(actor_of(ctx) || chr(1) || (ctx->>'idempotency_key'), 4243)) end
$$;

create or replace function keyed_release(ctx jsonb) returns void language sql as $$
	select pg_advisory_unlock(hashtextextended(actor_of(ctx) || chr(1) || (ctx->>'idempotency_key'), 4243))
	where ctx->>'idempotency_key' is not null
$$;

-- The answer that was given under the key before, or that the key was used for another request; else no row.
create or replace function keyed_seen(ctx jsonb) returns setof written language sql stable as $$
	select (case when k.request_sha256 = ctx->>'request_sha256'
		then row(nullif(k.status, 0), k.code, k.args, k.errors, k.extra, k.body, k.etag, k.location, true, k.request_id, k.lang)::written
		else row(null, 'idempotency_key_reused', null, null, null, null, null, null, false, ctx->>'request_id', ctx->>'lang')::written end).*
	from idempotency_key k where k.caller = actor_of(ctx) and k.key = ctx->>'idempotency_key'
$$;

-- An answer that a worker computed and that changes nothing, kept under the key like any other. args: status, body (text), etag.
create or replace function op_answer(ctx jsonb, args jsonb) returns answer language sql stable as $$
	select answer_body((args->>'status')::integer, args->>'body', args->>'etag')
$$;
