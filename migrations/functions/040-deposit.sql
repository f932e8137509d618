-- The deposit's ledger: how an entry is posted, and the entries that callers post. The provider's row is locked (by ledger_post() at
-- the latest) before anything of its deposit is decided on, so that its entries come one after the other.

do $$ begin
	create type deposit_entry_shape as (entry_id text, provider_id text, kind text, amount_fen bigint, balance_fen bigint,
		external_reference text, reason text, reference text, reverses text, refund_id text, deduction_status text, effective_on date,
		created_at text);
exception when duplicate_object then null; end $$;

-- An entry as callers see it. A deduction says whether it is still open; what is no deduction says null.
create or replace function deposit_entry_text(entry_id text, provider_id text, kind text, amount_fen bigint, balance_fen bigint,
	external_reference text, reason text, reference text, reverses text, refund_id text, deduction_status text, effective_on date,
	recorded_at timestamptz) returns text language sql stable as $$
	select row_to_json(row(entry_id, provider_id, kind, amount_fen, balance_fen, external_reference, reason, reference, reverses, refund_id,
		deduction_status, effective_on, instant(recorded_at))::deposit_entry_shape)::text
$$;

create or replace function deposit_entry_body(e ledger_entry) returns text language plpgsql stable as $$
declare
	deduction_status text;
begin
	if e.kind = 'deduction' then
		select status into deduction_status from deduction d where d.entry_id = e.entry_id;
	end if;
	return deposit_entry_text(e.entry_id, e.provider_id, e.kind, e.amount_fen, e.balance_fen, e.external_reference, e.reason, e.reference,
		e.reverses, e.refund_id, deduction_status, e.effective_on, e.recorded_at);
end $$;

create or replace function deposit_entries_path(provider_id text) returns text language sql immutable as $$
	select '/v1/providers/' || provider_id || '/deposit/entries'
$$;

-- Callers see what changes the balance. What refunds hold and release shows in the refunds, and in the statement.
create or replace function ledger_kind_listed(kind text) returns boolean language sql immutable as $$
	select kind not in ('refund_hold', 'refund_release')
$$;

do $$ begin
	create type posted as (seq bigint, entry_id text, body text); -- body: the entry as callers see it
exception when duplicate_object then null; end $$;

-- Posts e: its provider_id, kind, amount_fen, effective_on and what the kind needs besides are set, the rest follows. Kept balances
-- and the entry move together, whoever follows the ledger is told, and a trial that waits for the deposit, or no longer has it,
-- follows. Locks the provider. No seq: there is no such provider, or it would have more than can be said. No entry_id: the external
-- reference was posted before. The caller must refuse then.
create or replace function ledger_post(ctx jsonb, e ledger_entry) returns posted language plpgsql as $$
declare
	most constant bigint := 9007199254740991; -- what every JSON reader can hold
	status text;
	body text;
	told jsonb;
begin
	e.available_change_fen := case
		when e.kind in ('payment', 'top_up', 'deduction_reversal', 'refund_release') then e.amount_fen
		when e.kind in ('deduction', 'refund_hold') then -e.amount_fen
		else 0 end;
	e.held_change_fen := case
		when e.kind = 'refund_hold' then e.amount_fen
		when e.kind in ('refund_release', 'refund') then -e.amount_fen
		else 0 end;
	e.platform_change_fen := -(e.available_change_fen + e.held_change_fen);
	update provider p set balance_fen = p.balance_fen - e.platform_change_fen, held_fen = p.held_fen + e.held_change_fen,
		ledger_seq = p.ledger_seq + 1
		where provider_id = e.provider_id and p.balance_fen <= most + e.platform_change_fen
		returning p.ledger_seq, p.balance_fen, p.held_fen, p.status into e.seq, e.balance_fen, e.held_fen, status;
	if not found then return null; end if;
	e.entry_id := new_id('ent');
	e.recorded_at := clock_timestamp();
	e.recorded_by := actor_of(ctx);
	insert into ledger_entry select e.* on conflict (provider_id, kind, external_reference) where external_reference is not null
		do nothing;
	if not found then return row(e.seq, null, null)::posted; end if;
	if ledger_kind_listed(e.kind) then
		if e.kind = 'deduction' then
			insert into deduction (entry_id, provider_id, amount_fen, effective_on)
			values (e.entry_id, e.provider_id, e.amount_fen, e.effective_on);
		end if;
		body := deposit_entry_body(e);
		told := body;
		perform audit_add(ctx, 'deposit.entry_posted', e.entry_id, jsonb_build_object('balance_fen', e.balance_fen + e.platform_change_fen), told);
		perform event_add('deposit.entry_posted', e.provider_id, e.entry_id, told);
	end if;
	if status = 'admitted' then
		perform schedule_trial(e.provider_id, ctx);
	end if;
	return row(e.seq, e.entry_id, body)::posted;
end $$;

-- The least that there ever was, available or held, on a day or after it, by effective day.
create or replace function ledger_least_from(p_provider_id text, from_day date) returns bigint language sql stable as $$
	select min(least(available, held))::bigint from (
		select effective_on, sum(available_change_fen) over w as available, sum(held_change_fen) over w as held
		from ledger_entry where provider_id = p_provider_id window w as (order by effective_on, seq)) x
	where effective_on >= from_day
$$;

-- ---- what callers post ----

create or replace function entry_faults(p provider, e ledger_entry, not_before date) returns jsonb language plpgsql stable as $$
declare
	most constant bigint := 9007199254740991; -- what every JSON reader can hold
	faults jsonb := '[]';
	today date := assay_today();
begin
	if e.effective_on > today then
		faults := faults || fault('/effective_on', 'day_in_future', e.effective_on::text, today::text);
	elsif e.effective_on < not_before then
		faults := faults || fault('/effective_on', 'must_be_before', not_before::text, e.effective_on::text);
	end if;
	if e.kind <> 'deduction' and e.amount_fen > most - p.balance_fen then
		faults := faults || fault('/amount_fen', 'number_out_of_range', '1', (most - p.balance_fen)::text);
	end if;
	return faults;
end $$;

create or replace function answer_posted(p_provider_id text, p posted) returns answer language sql immutable as $$
	select answer_body(201, p.body, null, deposit_entries_path(p_provider_id))
$$;

-- Money comes in. What is wrong with it is looked for only when it cannot be posted at once: payments come in crowds.
create or replace function entry_payment(ctx jsonb, e ledger_entry) returns answer language plpgsql as $$
declare
	p provider;
	made posted;
begin
	if e.effective_on <= assay_today() then
		made := ledger_post(ctx, e);
	end if;
	if made.seq is null then
		select * into p from provider where provider_id = e.provider_id;
		return case when found then answer_faults(entry_faults(p, e, null)) else answer_problem('not_found') end;
	elsif made.entry_id is null then
		return answer_problem('external_reference_taken', e.kind, e.external_reference);
	end if;
	return answer_body(201, made.body, null, deposit_entries_path(e.provider_id));
end $$;

-- A violation is charged, from what is available and then from what refunds hold, the newest first.
create or replace function entry_deduction(ctx jsonb, p provider, e ledger_entry) returns answer language plpgsql as $$
declare
	faults jsonb := entry_faults(p, e, null);
	made posted;
begin
	if faults <> '[]' then return answer_faults(faults); end if;
	if e.amount_fen > p.balance_fen then
		return answer_problem('insufficient_balance', e.amount_fen::text, p.balance_fen::text);
	end if;
	perform refund_take(ctx, p, e.amount_fen - (p.balance_fen - p.held_fen));
	made := ledger_post(ctx, e);
	if made.entry_id is null then return answer_problem('external_reference_taken', e.kind, e.external_reference); end if;
	if e.effective_on < assay_today() and ledger_least_from(e.provider_id, e.effective_on) < 0 then
		return answer_problem('insufficient_balance', e.amount_fen::text,
			greatest(ledger_least_from(e.provider_id, e.effective_on) + e.amount_fen, 0)::text);
	end if;
	return answer_posted(e.provider_id, made);
end $$;

-- A deduction was wrong: all of it comes back, once.
create or replace function entry_reversal(ctx jsonb, p provider, e ledger_entry) returns answer language plpgsql as $$
declare
	d deduction;
	faults jsonb;
	made posted;
begin
	select * into d from deduction where entry_id = e.reverses and provider_id = e.provider_id;
	if not found then
		return answer_faults(jsonb_build_array(fault('/reverses', 'unknown_id', e.reverses)));
	end if;
	faults := entry_faults(p, e, d.effective_on);
	if e.amount_fen is not null and e.amount_fen <> d.amount_fen then
		faults := faults || fault('/amount_fen', 'number_out_of_range', d.amount_fen::text, d.amount_fen::text);
	end if;
	if faults <> '[]' then return answer_faults(faults); end if;
	if d.status = 'reversed' then return wrong_state('deduction', d.status, 'open, closed'); end if;
	e.amount_fen := d.amount_fen;
	made := ledger_post(ctx, e);
	if made.seq is null then return answer_faults(entry_faults(p, e, null)); end if;
	if made.entry_id is null then return answer_problem('external_reference_taken', e.kind, e.external_reference); end if;
	update deduction set status = 'reversed', ended_on = assay_today(), ended_by = actor_of(ctx) where entry_id = d.entry_id;
	return answer_posted(e.provider_id, made);
end $$;

-- args: provider_id, kind, amount_fen (a reversal may leave it out), external_reference, reason, reference, reverses, effective_on?
create or replace function op_deposit_entry(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	p provider;
	e ledger_entry;
begin
	e.provider_id := args->>'provider_id';
	e.kind := args->>'kind';
	e.amount_fen := args->>'amount_fen';
	e.external_reference := args->>'external_reference';
	e.reason := args->>'reason';
	e.effective_on := coalesce((args->>'effective_on')::date, assay_today());
	if e.kind in ('payment', 'top_up') then return entry_payment(ctx, e); end if;
	e.reference := args->>'reference';
	e.reverses := args->>'reverses';
	select * into p from provider where provider_id = e.provider_id for update;
	if not found then return answer_problem('not_found'); end if;
	return case e.kind when 'deduction' then entry_deduction(ctx, p, e) else entry_reversal(ctx, p, e) end;
end $$;

-- A deduction is no longer argued about. args: provider_id, entry_id, note?
create or replace function op_deduction_close(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	d deduction;
	body text;
begin
	perform from provider where provider_id = args->>'provider_id' for update;
	select * into d from deduction where entry_id = args->>'entry_id' and provider_id = args->>'provider_id';
	if not found then return answer_problem('not_found'); end if;
	if d.status <> 'open' then return wrong_state('deduction', d.status, 'open'); end if;
	update deduction set status = 'closed', ended_on = assay_today(), ended_by = actor_of(ctx), note = args->>'note'
		where entry_id = d.entry_id;
	select deposit_entry_body(e) into strict body from ledger_entry e where entry_id = d.entry_id;
	perform audit_add(ctx, 'deposit.deduction_closed', d.entry_id, jsonb_build_object('status', d.status),
		jsonb_build_object('status', 'closed', 'note', args->>'note'));
	perform event_add('deposit.deduction_closed', d.provider_id, d.entry_id, body::jsonb);
	return answer_body(200, body);
end $$;

-- The deductions that are still argued about: they stand in the way of an exit.
create or replace function deduction_open(p_provider_id text) returns setof deduction language sql stable as $$
	select * from deduction where provider_id = p_provider_id and status = 'open' order by entry_id
$$;

-- ---- the statement ----

create or replace function csv_cell(t text) returns text language sql immutable as $$
	select case when t ~ E'[",\r\n]' then '"' || replace(t, '"', '""') || '"' else coalesce(t, '') end
$$;

-- Every movement as CSV, by effective day, with what the balance came to; the days from and through are both included.
create or replace function deposit_statement(p_provider_id text, from_day date, through date) returns text language sql stable as $$
	select 'effective_on,recorded_at,entry_id,kind,change_fen,held_change_fen,balance_fen,held_fen,external_reference,reason,reference,'
		|| E'reverses,refund_id\n' || coalesce(string_agg(concat_ws(',', effective_on, instant(recorded_at), entry_id, kind, change,
			held_change_fen, balance, held, csv_cell(external_reference), csv_cell(reason), csv_cell(reference), csv_cell(reverses),
			csv_cell(refund_id)) || E'\n', '' order by effective_on, seq), '')
	from (select e.*, available_change_fen + held_change_fen as change,
			sum(available_change_fen + held_change_fen) over w as balance, sum(held_change_fen) over w as held
		from ledger_entry e where provider_id = p_provider_id window w as (order by effective_on, seq)) x
	where (from_day is null or effective_on >= from_day) and (through is null or effective_on <= through)
$$;
