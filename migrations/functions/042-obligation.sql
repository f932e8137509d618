-- What a provider owes (4.1), kept apart from what is there: the policy version that governs it says how much, and since when that
-- is not there is kept with the provider.

-- From today on that version says what they owe. Null: nothing is owed any more.
create or replace function obligations_set(provider_ids text[], ref text) returns void language plpgsql as $$
declare
	n integer := cardinality(provider_ids);
	required bigint;
	befores jsonb[];
begin
	if n = 0 then return; end if;
	required := policy_admission(policy_of(ref), 'deposit_fen')::bigint;
	select array_agg(jsonb_build_object('policy', p.obligation, 'required_fen', p.required_fen) order by x.n) into befores
		from unnest(provider_ids) with ordinality x(provider_id, n) join provider p using (provider_id);
	insert into deposit_obligation (provider_id, seq, policy, required_fen, from_day)
		select x.provider_id, coalesce((select max(seq) from deposit_obligation o where o.provider_id = x.provider_id), 0) + 1, ref, required,
			assay_today() from unnest(provider_ids) x(provider_id);
	update provider set obligation = ref, required_fen = required where provider_id = any (provider_ids);
	perform audit_add_all(audit_acting(), array_fill('deposit.obligation_changed'::text, array[n]), provider_ids, befores,
		array_fill(jsonb_build_object('policy', ref, 'required_fen', required), array[n]));
end $$;

create or replace function obligation_set(p_provider_id text, ref text) returns void language plpgsql as $$
begin
	perform obligations_set(array[p_provider_id], ref);
end $$;

create or replace function obligation_binds(status text) returns boolean language sql immutable as $$
	select status in ('admitted', 'trial', 'certified')
$$;

-- With the approval the application's policy binds; a version that fills in what it left open takes its place; whoever is no longer
-- admitted, in trial or certified owes nothing.
create or replace function obligation_of_provider() returns trigger language plpgsql as $$
begin
	if not obligation_binds(new.status) then
		if new.obligation is not null then perform obligation_set(new.provider_id, null); end if;
	elsif new.status = 'admitted' and (old.status <> 'admitted' or new.policy is distinct from old.policy)
		and new.policy is distinct from new.obligation then
		perform obligation_set(new.provider_id, new.policy);
	end if;
	return null;
end $$;
create or replace trigger obligation after update of status, policy on provider for each row execute function obligation_of_provider();

-- The newest version that judges the running period governs.
create or replace function obligation_of_period() returns trigger language plpgsql as $$
declare
	ref text := new.policies[cardinality(new.policies)];
begin
	perform obligation_set(new.provider_id, ref) from provider
		where provider_id = new.provider_id and obligation_binds(status) and obligation is distinct from ref;
	return null;
end $$;
create or replace trigger obligation after insert or update of policies on period for each row
	when (new.status in ('scheduled', 'open', 'awaiting_data')) execute function obligation_of_period();

-- A trial that was scheduled and is dropped: the application's policy says it again.
create or replace function obligation_without_period() returns trigger language plpgsql as $$
begin
	perform obligation_set(provider_id, policy) from provider
		where provider_id = old.provider_id and status = 'admitted' and obligation is distinct from policy;
	return null;
end $$;
create or replace trigger obligation_dropped after delete on period for each row execute function obligation_without_period();

-- The balance is never negative, and never more than a JSON reader can hold; and since when less than required is available is kept,
-- in trial and certified: before, the trial just waits for it.
create or replace function deposit_keep() returns trigger language plpgsql as $$
begin
	if new.held_fen < 0 or new.balance_fen < new.held_fen or new.balance_fen > 9007199254740991 then
		raise exception 'a balance of % with % held is not possible', new.balance_fen, new.held_fen using errcode = 'check_violation';
	end if;
	if new.status in ('trial', 'certified') and new.required_fen > new.balance_fen - new.held_fen then
		new.shortfall_since := coalesce(new.shortfall_since, assay_today());
	else
		new.shortfall_since := null;
	end if;
	if tg_op = 'UPDATE' and new.shortfall_since is distinct from old.shortfall_since then
		perform provider_remember(new);
	end if;
	return new;
end $$;
-- When it has nothing to do it is not called: balances change by crowds.
create or replace trigger deposit_keep before insert or update of status, required_fen, balance_fen, held_fen on provider for each row
	when (new.held_fen < 0 or new.balance_fen < new.held_fen or new.balance_fen > 9007199254740991
		or (new.status in ('trial', 'certified') and coalesce(new.required_fen > new.balance_fen - new.held_fen, false))
			<> (new.shortfall_since is not null))
	execute function deposit_keep();

-- What is missing; null when it is not known how much is required.
create or replace function shortfall(required_fen bigint, available_fen bigint) returns bigint language sql immutable as $$
	select case when required_fen is not null then greatest(required_fen - available_fen, 0) end
$$;

-- What is asked for: by the obligation where one binds, else by the application, or by the policy that one would be made under.
create or replace function deposit_asked(p provider, out required_fen bigint, out policy text, out example boolean, out due_days integer)
language plpgsql stable as $$
declare
	said policy := policy_of(coalesce(p.obligation, (select deposit_policy from application where application_id = p.application_id),
		policy_for_industry(p.industry, assay_today())));
begin
	required_fen := policy_admission(said, 'deposit_fen')::bigint;
	policy := policy_ref(said.policy_id, said.version);
	example := coalesce(said.example, false);
	due_days := policy_admission(said, 'deposit_due_days')::integer;
end $$;

-- By when a shortfall must be made good, and whether that has passed. Without deposit_due_days it is due at once; with them it is
-- overdue from the day after.
create or replace function deposit_body(p_provider_id text) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		p.provider_id, null::date as as_of, null::text as known_at, a.required_fen, p.balance_fen, p.held_fen,
		p.balance_fen - p.held_fen as available_fen,
		shortfall(a.required_fen, p.balance_fen - p.held_fen) as shortfall_fen,
		case when p.shortfall_since is not null then p.shortfall_since + coalesce(a.due_days, 0) end as due_on,
		case when p.shortfall_since is null then false when a.due_days is null then true
			else assay_today() > p.shortfall_since + a.due_days end as overdue,
		a.policy, a.example
		from provider p cross join lateral deposit_asked(p) a
		where p.provider_id = p_provider_id) x
$$;

-- The same as of a day, by effective day, as it was known at an instant: from the entries and obligations themselves.
create or replace function deposit_body_as_of(p_provider_id text, as_of date, known_at timestamptz) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		p.provider_id, as_of, instant(known_at) as known_at, o.required_fen, s.available + s.held as balance_fen, s.held as held_fen,
		s.available as available_fen, shortfall(o.required_fen, s.available) as shortfall_fen,
		null::date as due_on, false as overdue, o.policy, coalesce(y.example, false) as example
		from provider p
		cross join lateral (select coalesce(sum(available_change_fen), 0)::bigint as available, coalesce(sum(held_change_fen), 0)::bigint as held
			from ledger_entry e where e.provider_id = p.provider_id and (as_of is null or effective_on <= as_of)
				and (known_at is null or recorded_at <= known_at)) s
		left join lateral (select ob.required_fen, ob.policy from deposit_obligation ob where ob.provider_id = p.provider_id
			and (as_of is null or from_day <= as_of) and (known_at is null or recorded_at <= known_at) order by seq desc limit 1) o on true
		left join policy y on policy_ref(y.policy_id, y.version) = o.policy
		where p.provider_id = p_provider_id) x
$$;
