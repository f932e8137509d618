-- The deposit: an append-only ledger and its balance, kept together.

create or replace function deposit_entry_body(e deposit_entry) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		e.entry_id, e.provider_id, e.kind, e.amount_fen, e.balance_fen, e.external_reference, e.effective_on,
		instant(e.recorded_at) as created_at) x
$$;

-- What is there against what the application's policy asks for; before there is one, the policy that it would be made under.
create or replace function deposit_body(p_provider_id text) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		p.provider_id, r.required_fen, coalesce(b.balance_fen, 0) as balance_fen, 0 as held_fen,
		case when r.required_fen is not null then greatest(r.required_fen - coalesce(b.balance_fen, 0), 0) end as shortfall_fen,
		r.policy, coalesce(r.example, false) as example
		from provider p
		left join deposit_balance b on b.provider_id = p.provider_id
		left join lateral (
			select deposit_fen as required_fen, deposit_policy as policy, example
			from application where application_id = p.application_id
			union all
			select policy_admission(y, 'deposit_fen')::bigint, policy_ref(y.policy_id, y.version), y.example
			from policy_of(policy_for_industry(p.industry, assay_today())) y
			where p.application_id is null and y.policy_id is not null) r on true
		where p.provider_id = p_provider_id) x
$$;

-- Money comes in. args: provider_id, kind, amount_fen, external_reference, effective_on?
create or replace function op_deposit_entry(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	most constant bigint := 9007199254740991; -- what every JSON reader can hold
	amount bigint := (args->>'amount_fen')::bigint;
	on_day date := coalesce((args->>'effective_on')::date, assay_today());
	faults jsonb := '[]';
	e deposit_entry;
	balance bigint;
begin
	perform from provider where provider_id = args->>'provider_id' for update;
	if not found then return answer_problem('not_found'); end if;
	select coalesce((select balance_fen from deposit_balance where provider_id = args->>'provider_id'), 0) into balance;
	if on_day > assay_today() then
		faults := faults || fault('/effective_on', 'day_in_future', to_char(on_day, 'YYYY-MM-DD'), to_char(assay_today(), 'YYYY-MM-DD'));
	end if;
	if amount > most - balance then
		faults := faults || fault('/amount_fen', 'number_out_of_range', '1', (most - balance)::text);
	end if;
	if faults <> '[]' then return answer_faults(faults); end if;
	if exists (select from deposit_entry where provider_id = args->>'provider_id' and kind = args->>'kind'
		and external_reference = args->>'external_reference') then
		return answer_problem('external_reference_taken', args->>'kind', args->>'external_reference');
	end if;
	insert into deposit_entry (entry_id, provider_id, kind, amount_fen, balance_fen, external_reference, effective_on, recorded_by)
	values (new_id('ent'), args->>'provider_id', args->>'kind', amount, balance + amount, args->>'external_reference', on_day,
		ctx->>'key_id')
	returning * into e;
	insert into deposit_balance values (e.provider_id, e.balance_fen)
		on conflict (provider_id) do update set balance_fen = excluded.balance_fen;
	update provider set balance_fen = e.balance_fen where provider_id = e.provider_id;
	perform audit_add(ctx, 'deposit.entry_posted', e.entry_id, jsonb_build_object('balance_fen', balance),
		deposit_entry_body(e)::jsonb);
	perform event_add('deposit.entry_posted', e.provider_id, e.entry_id, deposit_entry_body(e)::jsonb);
	perform schedule_trial(e.provider_id, ctx);
	return answer_body(201, deposit_entry_body(e), null, '/v1/providers/' || e.provider_id || '/deposit/entries');
end $$;
