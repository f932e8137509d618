-- What an entry of the ledger costs beside its row: checked once a statement, not once a row, since payments come together.

-- A provider stays, and keeps its id. So it is enough that an entry's provider is there when the entry is made.
create function refuse_provider_removal() returns trigger language plpgsql as $$
begin
	raise exception 'a provider stays, and keeps its id' using errcode = 'restrict_violation';
end $$;
create trigger stays before delete or update of provider_id on provider for each row execute function refuse_provider_removal();
create trigger stays_truncate before truncate on provider execute function refuse_provider_removal();
alter table ledger_entry drop constraint ledger_entry_provider_id_fkey;

-- What an entry of each kind moves, and what it must say.
create function ledger_entry_sound(e ledger_entry) returns boolean language sql immutable as $$
	select case e.kind
		when 'payment' then e.available_change_fen = e.amount_fen and e.held_change_fen = 0 and e.external_reference is not null
		when 'top_up' then e.available_change_fen = e.amount_fen and e.held_change_fen = 0 and e.external_reference is not null
		when 'deduction' then e.available_change_fen = -e.amount_fen and e.held_change_fen = 0 and e.reason is not null
		when 'deduction_reversal' then e.available_change_fen = e.amount_fen and e.held_change_fen = 0
		when 'refund_hold' then e.available_change_fen = -e.amount_fen and e.held_change_fen = e.amount_fen
		when 'refund_release' then e.available_change_fen = e.amount_fen and e.held_change_fen = -e.amount_fen
		when 'refund' then e.available_change_fen = 0 and e.held_change_fen = -e.amount_fen
		else false end
		and e.amount_fen between 1 and 9007199254740991 and e.held_fen >= 0 and e.balance_fen between e.held_fen and 9007199254740991
		and (e.kind = 'deduction') = (e.reference is not null) and (e.kind = 'deduction_reversal') = (e.reverses is not null)
		and (e.kind in ('refund_hold', 'refund_release', 'refund')) = (e.refund_id is not null)
$$;

create function guard_ledger_entries() returns trigger language plpgsql as $$
declare
	e ledger_entry;
begin
	select * into e from entered
		where not ledger_entry_sound(entered) or not exists (select from provider p where p.provider_id = entered.provider_id) limit 1;
	if found then
		raise exception 'an entry of kind % is not so: %', e.kind, e using errcode = 'check_violation';
	end if;
	return null;
end $$;
drop trigger sound on ledger_entry;
drop function guard_ledger_entry();
create trigger sound after insert on ledger_entry referencing new table as entered for each statement execute function guard_ledger_entries();

drop index event_provider; -- nobody asks for a provider's events
