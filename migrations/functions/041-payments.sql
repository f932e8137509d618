-- Payments together: money comes in by crowds, and most of it has nothing in its way. Many are posted in one transaction, by one
-- statement, and of each is left what ledger_post() and api_write() would leave. Whatever may have something in its way is not
-- decided on here: it goes alone, by them.
--
-- Nobody is waited for: whose provider or idempotency key somebody else is at work on goes alone, and so does whose provider has
-- changed since the statement began (`paid` finds its row as it was then). What was posted before, by its idempotency key or by its
-- external reference, or is twice among them, is not looked for, which would cost each payment a tenth more: it fails the statement at a
-- unique key, nothing is left of it, and all of them go alone.

drop function if exists payments_taken(jsonb[], jsonb[]), deposit_payments(jsonb[], jsonb[]);
drop type if exists payment_taken;

-- A row for each, in the order in which they were asked for. Not done: nothing of it happened.
create or replace function deposit_payments(request_ids text[], key_ids text[], key_names text[], actor_ids text[], keys text[],
	request_sha256s text[], langs text[], provider_ids text[], kinds text[], amounts_fen bigint[], external_references text[],
	reasons text[], effective_ons date[])
returns table (n integer, status integer, code text, args text[], errors jsonb, extra json, body text, etag text, location text,
	replayed boolean, request_id text, lang text, done boolean)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
	most constant bigint := 9007199254740991; -- what every JSON reader can hold
	today constant date := assay_today();
begin
	return query with
	asked as materialized (
		select n, request_ids[n] as request_id, key_ids[n] as key_id, key_names[n] as key_name, actor_ids[n] as actor_id, keys[n] as key,
			request_sha256s[n] as request_sha256, langs[n] as lang, provider_ids[n] as provider_id, kinds[n] as kind,
			amounts_fen[n] as amount_fen, external_references[n] as external_reference, reasons[n] as reason,
			coalesce(effective_ons[n], today) as effective_on
		from generate_series(1, cardinality(request_ids)) m(n)
		where kinds[n] in ('payment', 'top_up')),
	locked as materialized (
		select provider_id, ctid as at, balance_fen, held_fen, ledger_seq from provider where provider_id in (select provider_id from asked)
			and status <> 'admitted' -- a trial may begin with the payment
		order by provider_id for no key update skip locked),
	plain as materialized (
		select a.*, l.at, l.held_fen, (l.balance_fen + sum(a.amount_fen) over w)::bigint as balance_fen, l.ledger_seq + row_number() over w as seq
		from asked a join locked l using (provider_id)
		where a.effective_on <= today
			and (a.key is null or pg_try_advisory_xact_lock(hashtextextended(a.actor_id || chr(1) || a.key, 4243)))
		window w as (partition by provider_id order by n)),
	paid as (
		update provider p set balance_fen = s.balance_fen, ledger_seq = s.seq
		from (select at, max(balance_fen) as balance_fen, max(seq) as seq from plain group by at) s
		where p.ctid = s.at and s.balance_fen <= most
		returning p.provider_id),
	posted as materialized (
		select b.*, body::jsonb as told from (
			select e.*, deposit_entry_text(entry_id, provider_id, kind, amount_fen, balance_fen, external_reference, reason, null, null,
				null, null, effective_on, recorded_at) as body from (
				select a.*, new_id('ent') as entry_id, clock_timestamp() as recorded_at from plain a join paid using (provider_id)
				offset 0) e offset 0) b), -- each of these is made once, not wherever it is named
	ledger as (
		insert into ledger_entry (provider_id, seq, entry_id, kind, amount_fen, available_change_fen, held_change_fen, platform_change_fen,
			balance_fen, held_fen, external_reference, reason, effective_on, recorded_at, recorded_by)
		select provider_id, seq, entry_id, kind, amount_fen, amount_fen, 0, -amount_fen, balance_fen, held_fen, external_reference, reason,
			effective_on, recorded_at, actor_id from posted),
	audited as (
		insert into audit (request_id, actor_id, actor_name, action, subject, provider_id, before, after)
		select request_id, key_id, key_name, 'deposit.entry_posted', entry_id, provider_id,
			jsonb_build_object('balance_fen', balance_fen - amount_fen), told from posted),
	evented as (
		insert into event (event_id, type, provider_id, subject, data)
		select 'evt' || substr(entry_id, 4), 'deposit.entry_posted', provider_id, entry_id, told from posted),
	kept as (
		insert into idempotency_key (caller, key, request_sha256, request_id, lang, status, body, location)
		select actor_id, key, request_sha256, request_id, lang, 201, body, deposit_entries_path(provider_id) from posted where key is not null)
	select m.n, 201, null::text, null::text[], null::jsonb, null::json, t.body, null::text, deposit_entries_path(t.provider_id), false,
		t.request_id, t.lang, t.n is not null
	from generate_series(1, cardinality(request_ids)) m(n) left join posted t using (n);
end $$;
