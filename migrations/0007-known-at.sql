-- What the service knew at an instant: of rows that change in place, as they were after each transaction that changed them. Facts
-- keep their earlier values themselves, with the imports that brought and replaced them. Read through functions/250-known-at.sql.

-- A transaction that changed what is looked back at, and when that was: read at its end, just before it is committed, so that
-- what took effect at once has one instant, and the order of instants is the order of commits of whatever waited for each other.
create table moment (
	moment bigint generated always as identity primary key,
	at timestamptz -- null: its transaction is not over
);

-- Only the stamp is ever changed, once.
create function guard_moment() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' or old.at is not null or new.moment <> old.moment then
		raise exception 'a moment never changes' using errcode = 'restrict_violation';
	end if;
	return new;
end $$;
create trigger append_only before update or delete on moment for each row execute function guard_moment();
create trigger append_only_truncate before truncate on moment execute function refuse_change();

-- Whoever asks for an instant waits for the holders of this lock (known_begin): they may be committing what happened before it.
create function moment_stamp() returns trigger language plpgsql as $$
begin
	perform pg_advisory_xact_lock_shared(4242, 3);
	update moment set at = clock_timestamp() where moment = new.moment;
	return null;
end $$;

create table state_history (
	kind text not null,   -- the table
	id text not null,     -- of the row
	moment bigint not null,
	provider_id text,     -- whose it is
	gone boolean not null default false, -- the row was deleted
	was jsonb not null,   -- the row; {}: that it came to be there is all there is to know
	running_of text generated always as (case when kind = 'period' and not gone
		and was->>'status' in ('scheduled', 'open', 'awaiting_data') then provider_id end) stored,
	primary key (kind, id, moment)
);
create index state_history_provider on state_history (provider_id, kind, id);
create index state_history_running on state_history (running_of) where running_of is not null;

-- What one transaction does to a row in several steps is kept as it left it; nothing is changed later.
create function guard_state_history() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' or old.moment::text is distinct from current_setting('assay.moment', true)
		or (new.kind, new.id, new.moment) <> (old.kind, old.id, old.moment) then
		raise exception 'what was never changes' using errcode = 'restrict_violation';
	end if;
	return new;
end $$;
create trigger append_only before update or delete on state_history for each row execute function guard_state_history();
create trigger append_only_truncate before truncate on state_history execute function refuse_change();

create table state_history_began ( -- nothing can be said of an instant before this one
	one boolean primary key default true check (one),
	at timestamptz not null
);
create trigger append_only before update or delete on state_history_began for each row execute function refuse_change();
create trigger append_only_truncate before truncate on state_history_began execute function refuse_change();

-- What is there already is known from now on; since when the imports and policies are there is told by themselves.
do $$
declare
	here bigint;
	one record;
begin
	insert into moment (at) values (clock_timestamp()) returning moment into here;
	insert into state_history_began (at)
		select case when exists (select from provider) then m.at else '-infinity' end from moment m where moment = here;
	insert into state_history (kind, id, moment, provider_id, was)
		select 'provider', provider_id, here, provider_id, to_jsonb(p) - array['contact', 'body'] from provider p
		union all select 'period', period_id, here, provider_id, to_jsonb(d) - 'body' from period d
		union all select 'waiver', waiver_id, here, provider_id, to_jsonb(w) from waiver w
		union all select 'clock', 'clock', here, null, to_jsonb(c) from clock c;
	for one in select 'import' as kind, import_id as id, finished_at as at from import where status = 'applied'
		union all select 'policy', policy_id || '@' || version, published_at from policy where status = 'published'
	loop
		insert into moment (at) values (one.at) returning moment into here;
		insert into state_history (kind, id, moment, was) values (one.kind, one.id, here, '{}');
	end loop;
end $$;

create constraint trigger stamp after insert on moment deferrable initially deferred for each row when (new.at is null)
	execute function moment_stamp();
