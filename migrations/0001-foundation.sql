-- The foundation's tables. Days are civil days in Asia/Shanghai; money is bigint fen; instants are timestamptz.
-- What must never break is guarded here: keys, exclusions, checks, the transition table, append-only triggers.

create extension if not exists btree_gist; -- equality inside an exclusion constraint (bindings, periods)

-- ---- small domains ----
create domain region_code as text check (value ~ '^[1-9][0-9]{5}$');
create domain fen as bigint check (value >= 0);
create domain credit_code as text check (value ~ '^[0-9A-HJ-NP-RTUW-Y]{18}$');
create domain provider_name as text check (length(value) between 1 and 200);
create domain service_category_set as text[] check (cardinality(value) between 1 and 2
	and value <@ array['practical_assistance', 'mall']);
create domain day_key as date check (value between '1990-01-01' and '2199-12-31');

-- ---- append-only: by trigger, for every user of the database ----
create function refuse_change() returns trigger language plpgsql as $$
begin
	raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

-- ---- the clock: one row. mode is fixed at the first start of a service on this database ----
create table clock (
	one boolean primary key default true check (one),
	mode text check (mode in ('system', 'test')), -- null: no service has started here yet
	today date,                                   -- the test clock's day; null until it is first set
	check (today is null or mode = 'test')
);
insert into clock default values;

create table job_day ( -- the daily job of each day, done once however many instances run
	day date primary key,
	finished_at timestamptz not null default clock_timestamp()
);

-- ---- callers ----
create table key_pepper ( -- what the keys' hashes are keyed with; made at the first start (model/store/pepper.c)
	one boolean primary key default true check (one),
	pepper bytea check (length(pepper) = 32), -- null: it is in a file outside (ASSAY_KEY_PEPPER_FILE)
	proof bytea not null check (length(proof) = 32) -- the HMAC of a fixed text, which tells another pepper from this one
);

create table api_key (
	key_id text primary key,
	actor_id text not null, -- who acts with it: its own id, or that of the key with which its rotations began
	replaces text unique references api_key, -- the key that it was rotated from
	hash bytea not null unique check (length(hash) = 32), -- HMAC-SHA256 of the secret, keyed with the pepper
	prefix text not null, -- the first characters, to recognise a key by
	name text not null check (length(name) between 1 and 200),
	role text not null check (role in ('admin', 'operator', 'feed', 'partner', 'auditor')),
	provider_id text,
	created_at timestamptz not null default clock_timestamp(),
	expires_at timestamptz,
	revoked_at timestamptz,
	last_used_at timestamptz, -- to the minute
	requests_per_second integer check (requests_per_second between 1 and 10000), -- null: no limit
	check (role = 'partner' or provider_id is null) -- a partner's key without one gets the provider that it registers
);
create index api_key_actor on api_key (actor_id);

create table idempotency_key (
	caller text not null, -- actor_of(): a rotated key and its successor are one caller
	key text not null check (length(key) between 1 and 255),
	request_sha256 text not null,
	request_id text not null,
	lang text not null,
	status integer not null,
	code text,
	args text[],
	errors jsonb,
	extra json,
	body text,
	etag text,
	location text,
	created_at timestamptz not null default clock_timestamp(),
	primary key (caller, key)
);
create index idempotency_key_age on idempotency_key (created_at);

-- ---- what happened ----
create table audit (
	-- Whose turn it was, for the sealer (functions/015-audit.sql). Before audit_id: a transaction has its number before it takes an id.
	era smallint not null default 1,
	txid xid8 not null default pg_current_xact_id(),
	audit_id bigint generated always as identity primary key,
	at timestamptz not null default clock_timestamp(),
	request_id text not null,
	actor_id text not null,   -- key_id, or 'system' for the daily job
	actor_name text not null,
	action text not null,     -- what happened: 'provider.certified'
	subject text not null,    -- id of what it was done to
	provider_id text,         -- whom it concerns
	before jsonb,
	after jsonb
);
create index audit_subject on audit (subject, audit_id);
create index audit_provider on audit (provider_id, audit_id) where provider_id is not null;
create index audit_actor on audit (actor_id, audit_id) where actor_id <> 'system'; -- that one has most of them
create index audit_action on audit (action, audit_id);
create index audit_fresh on audit (era, txid);
create trigger append_only before update or delete on audit for each row execute function refuse_change();
create trigger append_only_truncate before truncate on audit execute function refuse_change();

-- The entries' hashes in one order that never changes: each link's is of the link before and of the entry, so that no entry can
-- be changed, left out, moved or put in without every later hash being another. Made after the fact, by the sealer: who writes an
-- entry waits for none of it.
create table audit_chain (
	position bigint primary key check (position >= 1),
	audit_id bigint not null unique,
	entry_sha256 bytea not null check (length(entry_sha256) = 32), -- of audit_content()
	sha256 bytea not null check (length(sha256) = 32)              -- of the link before and of entry_sha256
);
create trigger append_only before update or delete on audit_chain for each row execute function refuse_change();
create trigger append_only_truncate before truncate on audit_chain execute function refuse_change();

create table audit_seal ( -- how far the chain has come: one row, and who locks it is the one sealer
	one boolean primary key default true check (one),
	position bigint not null default 0, -- of the chain's last link
	sha256 bytea not null default decode(repeat('00', 32), 'hex'),
	sealed_at timestamptz,
	snapshot pg_snapshot not null default '3:3:', -- whose entries are sealed: those of the transactions that it sees as over
	last_txid xid8 not null default '2', -- the transaction that sealed: a later one
	last_id bigint not null default 0,   -- takes ids above this one
	era smallint not null default 1, -- grows when the database is another cluster's: transactions are numbered anew there
	cluster bigint -- the cluster's system identifier; null: not looked at yet
);
insert into audit_seal default values;

create table audit_secret ( -- what personal data is hashed with before it is kept here; see audit_hidden()
	one boolean primary key default true check (one),
	key bytea not null check (length(key) = 64)
);
insert into audit_secret (key) select string_agg(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), '')
	from generate_series(1, 2);
-- Not even their owner, whom the service connects as, may do more than append.
revoke update, delete, truncate on audit, audit_chain from current_user;
revoke insert, update, delete, truncate on audit_secret from current_user;

create table event (
	event_id text primary key,
	at timestamptz not null default clock_timestamp(),
	type text not null,       -- 'provider.certified'
	provider_id text,
	subject text not null,
	data jsonb not null
);
create index event_provider on event (provider_id, event_id);
create trigger append_only before update or delete on event for each row execute function refuse_change();
create trigger append_only_truncate before truncate on event execute function refuse_change();

-- ---- policies ----
create table policy (
	policy_id text not null,
	version text not null,
	industry text not null,
	effective_from day_key not null,
	example boolean not null,
	status text not null check (status in ('draft', 'published')),
	document text not null, -- canonical JSON, as model/rules/policy.c writes it
	sha256 text not null,
	created_at timestamptz not null default clock_timestamp(),
	published_at timestamptz,
	primary key (policy_id, version),
	check ((status = 'published') = (published_at is not null))
);
create unique index policy_effective on policy (policy_id, effective_from) where status = 'published';
create index policy_industry on policy (industry, effective_from) where status = 'published';
create function refuse_published_change() returns trigger language plpgsql as $$
begin
	if old.status = 'published' then
		raise exception 'policy %@% is published and never changes', old.policy_id, old.version using errcode = 'restrict_violation';
	end if;
	return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger published_never_changes before update or delete on policy for each row execute function refuse_published_change();
create trigger append_only_truncate before truncate on policy execute function refuse_change();

-- ---- providers and their life ----
create table lifecycle_transition ( -- the one table of rules.md's life of a provider; model/rules/lifecycle.c holds the same
	from_status text not null,
	to_status text not null,
	primary key (from_status, to_status)
);
insert into lifecycle_transition values
	('registered', 'applied'),
	('applied', 'admitted'), ('applied', 'rejected'), ('applied', 'withdrawn'),
	('admitted', 'trial'), ('admitted', 'withdrawn'),
	('trial', 'certified'), ('trial', 'trial_failed'),
	('certified', 'revoked'), ('certified', 'exited'),
	('revoked', 'applied'), ('revoked', 'exited'),
	('rejected', 'applied'), ('withdrawn', 'applied'), ('trial_failed', 'applied'), ('exited', 'applied');

create table provider (
	provider_id text primary key,
	credit_code credit_code not null unique, -- domains, not checks: those would be parsed anew for every change of a balance
	name provider_name not null,
	service_categories service_category_set not null,
	region region_code not null,
	industry text not null,
	main_category text not null,
	contact jsonb,
	status text not null default 'registered',
	since date not null,        -- the day the status began
	application_id text,        -- the application that its present status rests on
	policy text,                -- 'id@version' under which it was admitted or is being so: the application's deposit_policy
	revoked_on date,            -- of the last revocation
	reapply_from date,          -- new applications are refused before this day (5)
	reapply_cause text check (reapply_cause in ('revoked', 'trial_failed')),
	version bigint not null default 1,
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	body text not null default '' -- the resource as callers see it, kept by trigger (functions/)
);
create index provider_by_status on provider (status, provider_id);
create index provider_by_industry on provider (industry, provider_id);
create index provider_by_region on provider (region text_pattern_ops); -- a code covers what begins with its significant digits

create function guard_lifecycle() returns trigger language plpgsql as $$
begin
	if tg_op = 'INSERT' then
		if new.status <> 'registered' then
			raise exception 'a provider begins as registered, not %', new.status using errcode = 'check_violation';
		end if;
	elsif new.status <> old.status
		and not exists (select from lifecycle_transition where from_status = old.status and to_status = new.status) then
		raise exception 'a provider cannot go from % to %', old.status, new.status using errcode = 'check_violation';
	end if;
	return new;
end $$;
create trigger a_lifecycle before insert or update of status on provider for each row execute function guard_lifecycle();

create table provider_status ( -- every status a provider ever had
	provider_id text not null references provider,
	seq integer not null,
	status text not null,
	since date not null,
	cause text,          -- id of what caused it: application, period, decision
	recorded_at timestamptz not null default clock_timestamp(),
	primary key (provider_id, seq)
);
create trigger append_only before update or delete on provider_status for each row execute function refuse_change();
create trigger append_only_truncate before truncate on provider_status execute function refuse_change();

create table application (
	application_id text primary key,
	provider_id text not null references provider,
	status text not null check (status in ('submitted', 'approved', 'rejected', 'withdrawn')),
	policy_id text not null,
	policy_version text not null,
	documents json not null,
	deposit_fen bigint check (deposit_fen >= 0), -- what is required; null: not configured yet
	deposit_policy text not null, -- the 'id@version' that says so: its own policy, or the later version that filled it in
	example boolean not null,   -- the policy's: what rests on it says so
	checks json not null, -- as they were when last decided on
	submitted_on date not null,
	decided_on date,
	reason text,
	note text,
	version bigint not null default 1,
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	foreign key (policy_id, policy_version) references policy
);
create unique index application_one_open on application (provider_id) where status = 'submitted';
create index application_provider on application (provider_id, application_id);
alter table provider add foreign key (application_id) references application;

-- ---- imports ----
create table import (
	import_id text primary key,
	kind text not null check (kind in ('stores', 'bindings', 'store_days', 'exam_passes')),
	mode text not null check (mode in ('atomic', 'per_row')),
	status text not null check (status in ('receiving', 'applying', 'applied', 'rejected', 'failed')),
	complete_through date,
	watermark date,          -- after it was applied
	bytes_received bigint not null default 0,
	rows_received bigint not null default 0,
	rows_inserted bigint not null default 0,
	rows_changed bigint not null default 0,
	rows_unchanged bigint not null default 0,
	rows_rejected bigint not null default 0,
	sha256 text,             -- of the body as received
	created_by text not null,
	started_at timestamptz not null default clock_timestamp(),
	progressed_at timestamptz not null default clock_timestamp(),
	finished_at timestamptz
);
create table import_error (
	import_id text not null references import,
	line bigint not null,
	seq integer not null,
	column_name text,
	code text not null,
	args text[] not null default '{}',
	primary key (import_id, line, seq)
);

create table watermark ( -- the last day for which the platform's figures are complete
	one boolean primary key default true check (one),
	day date
);
insert into watermark default values;
create table watermark_history (
	day date not null,
	import_id text not null references import,
	recorded_at timestamptz not null default clock_timestamp(),
	primary key (day, import_id)
);

-- ---- stores: a history with a first day ----
create table store (
	store_id text primary key check (length(store_id) between 1 and 64)
);
create table store_version (
	store_id text not null references store,
	valid_from day_key not null,
	name text not null,
	registered_region region_code not null,
	ship_from_regions text[] not null,
	industry text not null,
	category text not null,
	status text not null check (status in ('normal', 'suspended', 'closing', 'closed')),
	import_id text not null,
	recorded_at timestamptz not null default clock_timestamp(),
	primary key (store_id, valid_from)
);
create table store_version_history ( -- what a later delivery replaced
	store_id text not null,
	valid_from date not null,
	name text not null,
	registered_region text not null,
	ship_from_regions text[] not null,
	industry text not null,
	category text not null,
	status text not null,
	import_id text not null,
	recorded_at timestamptz not null,
	replaced_by text not null,
	replaced_at timestamptz not null default clock_timestamp()
);
create index on store_version_history (store_id, valid_from);

-- ---- bindings: half-open; two of one provider and store never overlap ----
create table binding (
	provider_id text not null references provider,
	store_id text not null references store,
	bound_on day_key not null,
	unbound_on day_key,
	import_id text not null,
	recorded_at timestamptz not null default clock_timestamp(),
	primary key (provider_id, store_id, bound_on),
	check (unbound_on >= bound_on),
	constraint binding_no_overlap exclude using gist
		(provider_id with =, store_id with =, daterange(bound_on, unbound_on, '[)') with &&) deferrable initially deferred
);
create index binding_store on binding (store_id);
create table binding_history (
	provider_id text not null,
	store_id text not null,
	bound_on date not null,
	unbound_on date,
	import_id text not null,
	recorded_at timestamptz not null,
	replaced_by text not null,
	replaced_at timestamptz not null default clock_timestamp()
);
create index on binding_history (provider_id, store_id);

create table exam_pass (
	provider_id text not null references provider,
	person_id text not null check (length(person_id) between 1 and 64),
	passed_on day_key not null,
	import_id text not null,
	recorded_at timestamptz not null default clock_timestamp(),
	primary key (provider_id, person_id, passed_on)
);

-- ---- platform day facts: partitioned by month; partitions are made by ensure_store_day_partition() ----
create table store_day (
	store_id text not null,
	day date not null,
	orders bigint not null check (orders between 0 and 9007199254740991),
	gmv_fen bigint not null check (gmv_fen between 0 and 9007199254740991),
	import_seq bigint not null, -- import_ref.seq: 8 bytes a row instead of an id
	primary key (store_id, day)
) partition by range (day);
create table store_day_history (
	store_id text not null,
	day date not null,
	orders bigint not null,
	gmv_fen bigint not null,
	import_seq bigint not null,
	replaced_by bigint not null
);
create index on store_day_history (store_id, day);
create index store_day_by_day on store_day using brin (day) with (pages_per_range = 32, autosummarize = on); -- a night lies together: an import finds it
create table store_day_loaded ( -- days of which store_day may hold rows: a night that is not here is new, no row of it need be looked for
	day date primary key
);
create table store_month ( -- the roll-up: the months that ended within the watermark, each kept in the import's transaction;
	store_id text not null, -- a later month has no rows here yet, its days say all there is
	month date not null check (extract(day from month) = 1),
	orders bigint not null,
	gmv_fen bigint not null,
	primary key (store_id, month)
);
create table import_ref (
	seq bigint generated always as identity primary key,
	import_id text not null unique references import,
	recorded_at timestamptz not null default clock_timestamp()
);

-- ---- periods, decisions ----
create table period (
	period_id text primary key,
	provider_id text not null references provider,
	application_id text not null references application,
	stage text not null check (stage in ('trial', 'regular')),
	number integer not null check (number >= 1),
	start_day date not null check (extract(day from start_day) = 1),
	end_day date not null,       -- the last day; an early conversion, or an exit, ends it on the day it was granted
	scheduled_end date not null,
	status text not null check (status in ('scheduled', 'open', 'awaiting_data', 'passed', 'failed', 'converted', 'cancelled')),
	policies text[] not null check (cardinality(policies) >= 1), -- 'id@version', any one of which suffices
	decision_id text,
	facts_version bigint not null default 1,    -- grows when figures that it rests on change
	progress text,                              -- the evaluation so far, without its stores
	progress_version bigint not null default 0, -- the facts_version that progress was computed from
	gaps text,                                  -- what is missing, from the same evaluation (model/store/gaps.h)
	version bigint not null default 1,
	created_at timestamptz not null default clock_timestamp(),
	body text not null default '', -- the resource as callers see it, kept by trigger (functions/)
	example boolean not null default false, -- one of its policies is an example; by the same trigger
	running_of text generated always as (case when status in ('scheduled', 'open', 'awaiting_data') then provider_id end) stored,
	check (end_day >= start_day and end_day <= scheduled_end),
	unique (application_id, stage, number),
	exclude using gist (provider_id with =, daterange(start_day, end_day, '[]') with &&) where (status <> 'cancelled')
) with (toast_tuple_target = 8160); -- progress and body are read with every qualification: not compressed, not elsewhere
create unique index period_one_running on period (running_of); -- at most one a provider, found at once from it
create index period_due on period (end_day, period_id) where status in ('scheduled', 'open', 'awaiting_data');
create index period_provider on period (provider_id, start_day);

create table assessment_run (
	run_id text primary key,
	as_of date not null,
	dry_run boolean not null,
	status text not null check (status in ('queued', 'running', 'done', 'failed')),
	done bigint not null default 0,
	total bigint not null default 0,
	met bigint not null default 0,           -- its results by outcome, so that reads need not count them
	not_met bigint not null default 0,
	awaiting_data bigint not null default 0,
	created_by text not null,
	created_at timestamptz not null default clock_timestamp(),
	progressed_at timestamptz not null default clock_timestamp(),
	finished_at timestamptz
);

create table decision (
	decision_id text primary key,
	provider_id text not null references provider,
	period_id text not null references period,
	run_id text,
	outcome text not null check (outcome in ('met', 'not_met')),
	decided_on date not null,
	decided_at timestamptz not null default clock_timestamp(),
	document text not null,  -- the evaluation's answer, canonical bytes
	evidence text not null,  -- the evaluation's request, canonical bytes: the same function gives `document` from it
	sha256 text not null check (length(sha256) = 64), -- of document
	engine text not null,    -- version of the evaluator
	supersedes text unique references decision
);
do $$ begin -- documents are written once and seldom read: the faster way where this PostgreSQL was built with it
	alter table decision alter document set compression lz4, alter evidence set compression lz4;
exception when feature_not_supported then null;
end $$;
create unique index decision_once on decision (period_id) where supersedes is null; -- a period is decided once
create index decision_provider on decision (provider_id, decision_id);
create index decision_period on decision (period_id);
alter table period add foreign key (decision_id) references decision;
create trigger append_only before update or delete on decision for each row execute function refuse_change();
create trigger append_only_truncate before truncate on decision execute function refuse_change();

create table assessment_run_result (
	run_id text not null references assessment_run,
	period_id text not null references period,
	provider_id text not null,
	outcome text not null check (outcome in ('met', 'not_met', 'awaiting_data')),
	decision_id text,
	missing_from date,
	missing_through date,
	primary key (run_id, period_id)
);

-- ---- exits, and waivers of the cool-down (5) ----
create table provider_exit (
	exit_id text primary key,
	provider_id text not null references provider,
	from_status text not null check (from_status in ('certified', 'revoked')),
	exited_on date not null,
	reason text check (length(reason) between 1 and 1000),
	period_id text references period, -- the running one, which it cancelled
	refund_id text,                   -- that it asked for: of all that was available
	requested_by text not null,       -- the actor
	recorded_at timestamptz not null default clock_timestamp()
);
create index provider_exit_provider on provider_exit (provider_id, exit_id);
create trigger append_only before update or delete on provider_exit for each row execute function refuse_change();
create trigger append_only_truncate before truncate on provider_exit execute function refuse_change();

create table waiver ( -- proposed by one, in force once another has confirmed it, for that one cool-down and through its last day
	waiver_id text primary key,
	provider_id text not null references provider,
	kind text not null check (kind in ('cooldown')),
	reason text not null check (length(reason) between 1 and 1000),
	reapply_from date not null, -- the end of the cool-down that it lifts: a later revocation's is another one
	reapply_cause text not null check (reapply_cause in ('revoked', 'trial_failed')),
	expires_on day_key not null, -- the last day on which it holds
	status text not null default 'proposed' check (status in ('proposed', 'active', 'revoked')), -- and expired: waiver_status()
	proposed_by text not null, -- actors
	proposed_on date not null,
	confirmed_by text,
	confirmed_on date,
	note text check (length(note) between 1 and 1000), -- what was noted when it was confirmed
	revoked_by text,
	revoked_on date,
	revoke_reason text check (length(revoke_reason) between 1 and 1000),
	version bigint not null default 1,
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	constraint waiver_two_people check (confirmed_by <> proposed_by),
	check ((confirmed_by is null) = (confirmed_on is null) and (status <> 'active' or confirmed_by is not null)
		and (status <> 'proposed' or confirmed_by is null)),
	check ((status = 'revoked') = (revoked_by is not null) and (revoked_by is null) = (revoked_on is null))
);
create index waiver_provider on waiver (provider_id, waiver_id);
create function guard_waiver() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' or (new.waiver_id, new.provider_id, new.kind, new.reason, new.reapply_from, new.reapply_cause, new.expires_on,
		new.proposed_by, new.proposed_on) is distinct from (old.waiver_id, old.provider_id, old.kind, old.reason, old.reapply_from,
		old.reapply_cause, old.expires_on, old.proposed_by, old.proposed_on) or old.status = 'revoked'
		or (old.status, new.status) = ('active', 'proposed') then
		raise exception 'what a waiver says never changes' using errcode = 'restrict_violation';
	end if;
	new.version := old.version + 1;
	new.updated_at := clock_timestamp();
	return new;
end $$;
create trigger what_was_asked_stays before update or delete on waiver for each row execute function guard_waiver();
create trigger append_only_truncate before truncate on waiver execute function refuse_change();
