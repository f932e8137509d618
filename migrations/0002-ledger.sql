-- The deposit (4.1): an append-only double-entry ledger, what is owed beside it, and refunds.

-- What the ledger comes to for each provider, kept in the transaction of every entry: no read needs a sum. The trigger deposit_keep
-- sees to it that it is never negative; a check would be parsed again for each statement.
alter table provider
	add column balance_fen bigint not null default 0,
	add column held_fen bigint not null default 0,      -- part of the balance that running refunds hold
	add column ledger_seq bigint not null default 0,    -- of the newest entry
	add column obligation text,                         -- 'id@version' of deposit_obligation's newest row; null: none binds
	add column required_fen bigint,                     -- what that row asks for
	add column shortfall_since date;                    -- since when less than that is there, in trial or certified; null: all is there
alter table provider set (fillfactor = 85); -- room for the next balance beside the last: no index changes with it

-- An entry moves amount_fen between three accounts: the provider's available and held money, and the platform's. Its postings
-- stand in one row, so that they balance by a plain check.
create table ledger_entry (
	provider_id text not null references provider,
	seq bigint not null, -- 1, 2, 3 ... of each provider
	entry_id text not null unique,
	kind text not null,
	amount_fen bigint not null,
	available_change_fen bigint not null,
	held_change_fen bigint not null,
	platform_change_fen bigint not null,
	balance_fen bigint not null, -- available and held, after this entry
	held_fen bigint not null,
	external_reference text,
	reason text,
	reference text,     -- of the violation that a deduction is for
	reverses text,      -- the deduction that a reversal takes back
	refund_id text,     -- the refund that holds, releases or pays
	effective_on date not null,
	recorded_at timestamptz not null default clock_timestamp(),
	recorded_by text not null, -- the actor
	primary key (provider_id, seq),
	constraint balances check (available_change_fen + held_change_fen + platform_change_fen = 0)
);

-- What an entry of each kind moves, and what it must say. A trigger, since checks would be parsed again for each statement.
create function guard_ledger_entry() returns trigger language plpgsql as $$
declare
	e ledger_entry := new;
	n bigint := new.amount_fen;
	sound boolean;
begin
	sound := case e.kind
		when 'payment' then e.available_change_fen = n and e.held_change_fen = 0 and e.external_reference is not null
		when 'top_up' then e.available_change_fen = n and e.held_change_fen = 0 and e.external_reference is not null
		when 'deduction' then e.available_change_fen = -n and e.held_change_fen = 0 and e.reason is not null
		when 'deduction_reversal' then e.available_change_fen = n and e.held_change_fen = 0
		when 'refund_hold' then e.available_change_fen = -n and e.held_change_fen = n
		when 'refund_release' then e.available_change_fen = n and e.held_change_fen = -n
		when 'refund' then e.available_change_fen = 0 and e.held_change_fen = -n
		else false end
		and n between 1 and 9007199254740991 and e.held_fen >= 0 and e.balance_fen between e.held_fen and 9007199254740991
		and (e.kind = 'deduction') = (e.reference is not null) and (e.kind = 'deduction_reversal') = (e.reverses is not null)
		and (e.kind in ('refund_hold', 'refund_release', 'refund')) = (e.refund_id is not null);
	if not sound then
		raise exception 'an entry of kind % is not so: %', e.kind, e using errcode = 'check_violation';
	end if;
	return new;
end $$;
create trigger sound before insert on ledger_entry for each row execute function guard_ledger_entry();
create unique index ledger_entry_once on ledger_entry (provider_id, kind, external_reference) where external_reference is not null;
create unique index ledger_entry_reversed_once on ledger_entry (provider_id, reverses) where reverses is not null;
create trigger append_only before update or delete on ledger_entry for each row execute function refuse_change();
create trigger append_only_truncate before truncate on ledger_entry execute function refuse_change();
revoke update, delete, truncate on ledger_entry from public, current_user; -- the service's own user, who owns it

-- The same as double entry is usually written.
create view ledger_posting as
	select e.provider_id, e.seq, e.entry_id, p.account, p.amount_fen from ledger_entry e
	cross join lateral (values ('available', available_change_fen), ('held', held_change_fen), ('platform', platform_change_fen))
		p(account, amount_fen)
	where p.amount_fen <> 0;

-- Whether a deduction is still argued about: open until it is closed or reversed. Beside the ledger, whose entries never change.
create table deduction (
	entry_id text primary key,
	provider_id text not null references provider,
	amount_fen bigint not null,
	effective_on date not null,
	status text not null default 'open' check (status in ('open', 'closed', 'reversed')),
	ended_on date,
	ended_by text,
	note text,
	check ((status = 'open') = (ended_on is null))
);
create index deduction_open_of on deduction (provider_id) where status = 'open';

-- What a provider owes, by policy version: apart from what is there. A row from the day on which a version came to say it; policy
-- null: nothing is owed any more. provider.obligation and required_fen repeat the newest.
create table deposit_obligation (
	provider_id text not null references provider,
	seq integer not null,
	policy text,
	required_fen bigint check (required_fen >= 0), -- null: the version does not say (not configured)
	from_day date not null,
	recorded_at timestamptz not null default clock_timestamp(),
	primary key (provider_id, seq)
);
create trigger append_only before update or delete on deposit_obligation for each row execute function refuse_change();
create trigger append_only_truncate before truncate on deposit_obligation execute function refuse_change();
revoke update, delete, truncate on deposit_obligation from public, current_user;

create table refund (
	refund_id text primary key,
	provider_id text not null references provider,
	status text not null check (status in ('requested', 'approved', 'settled', 'failed', 'expired', 'cancelled')),
	requested_fen bigint not null check (requested_fen >= 1),
	amount_fen bigint not null check (amount_fen between 0 and requested_fen), -- held; less when a deduction took some of it
	reason text not null,
	requested_on date not null,
	requested_by text not null, -- the actor
	expires_on date,            -- the last day on which it can be decided; null: no such day
	approved_on date,
	approved_by text,
	ended_on date,
	note text,
	entry_id text,              -- the refund entry that paid it
	version bigint not null default 1,
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	check ((status in ('approved', 'settled')) = (approved_by is not null) or status = 'failed'),
	check ((status in ('requested', 'approved')) = (ended_on is null)),
	check (approved_by <> requested_by), -- two people (6)
	check ((status = 'settled') = (entry_id is not null)),
	check ((status = 'cancelled') = (amount_fen = 0))
);
create index refund_of on refund (provider_id, refund_id);
create index refund_running_of on refund (provider_id) where status in ('requested', 'approved');
create index refund_expiring on refund (expires_on) where status = 'requested';
