-- Late figures and appeals. A decision never changes: that facts it rests on were corrected is a row of its own, what takes its place
-- is another decision that names it, and what becomes of the provider happens in the transaction that writes that one.

-- Made as of an earlier day than its period's last one: an early conversion, as of the watermark.
alter table decision add column as_of date;
alter table decision disable trigger append_only;
update decision d set as_of = (d.document::json->>'as_of')::date from period p
	where p.period_id = d.period_id and p.status = 'converted' and (d.document::json->>'as_of')::date < p.end_day;
alter table decision enable trigger append_only;

-- ---- stale: an import that concerns what a decision was made on, in that import's own transaction ----
create table decision_stale (
	decision_id text not null references decision,
	import_id text not null references import,
	first_day date not null,  -- the first day of the period that it concerns
	marked_on date not null,  -- by the clock: how late the correction came
	recorded_at timestamptz not null default clock_timestamp(),
	primary key (decision_id, import_id)
);
create index on decision_stale (import_id);
create trigger append_only before update or delete on decision_stale for each row execute function refuse_change();
create trigger append_only_truncate before truncate on decision_stale execute function refuse_change();

-- What today's facts would make of a decision that was marked: computed again after each mark, and nothing that is decided on.
create table decision_review (
	decision_id text primary key references decision,
	marks bigint not null default 1,    -- grows with each import that marks it
	reviewed bigint not null default 0, -- the marks that what follows was computed with
	marked_on date not null,            -- of the first mark since today's facts last gave the same
	differs boolean,                    -- null: not known since it was marked; false: today's facts give the same, it is not stale
	outcome text check (outcome in ('met', 'not_met')),
	changes json,                       -- [{"policy", "measure", "before", "after"}]
	reviewed_at timestamptz,
	check ((outcome is null) = (reviewed_at is null))
);
create index decision_review_stale on decision_review (decision_id) where differs is distinct from false;
create index period_decided_of on period (provider_id, end_day) where status in ('passed', 'failed', 'converted'); -- those that an import may concern
create index decision_review_due on decision_review (decision_id) where marks <> reviewed;
-- Whatever was decided before marks were made is looked at once.
insert into decision_review (decision_id, marked_on, differs)
	select decision_id, shanghai_today.day, false from period, (select (now() at time zone 'Asia/Shanghai')::date as day) shanghai_today
	where decision_id is not null and status in ('passed', 'failed', 'converted');

-- ---- corrections: proposed by one person, in force once another has confirmed them ----
create table correction (
	correction_id text primary key,
	decision_id text not null references decision, -- which it would supersede
	provider_id text not null references provider,
	period_id text not null references period,
	status text not null default 'proposed' check (status in ('proposed', 'confirmed', 'rejected', 'withdrawn', 'lapsed')),
	reason text not null check (length(reason) between 1 and 1000),
	outcome text not null check (outcome in ('met', 'not_met')),
	document text not null,      -- the superseding decision, as it would be and will be
	sha256 text not null check (length(sha256) = 64),       -- of document
	evaluation_sha256 text not null check (length(evaluation_sha256) = 64), -- of what the facts came to: another, and it lapses
	engine text not null,
	changes json not null,
	proposed_by text not null, -- actors
	proposed_on date not null, -- and the day on which it was decided, as the document says
	decided_by text,           -- who confirmed, rejected or withdrew it; null of a lapsed one: the facts did
	decided_on date,
	note text check (length(note) between 1 and 1000),
	consequence text check (consequence in ('none', 'restored', 'failed', 'trial_resumed', 'recorded')),
	superseding_id text unique references decision,
	confirmed_in xid8, -- the transaction: only it may make the provider's moves of lifecycle_correction
	version bigint not null default 1,
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	check ((status = 'proposed') = (decided_on is null)),
	check ((status in ('confirmed', 'rejected', 'withdrawn')) = (decided_by is not null)),
	check ((status = 'confirmed') = (superseding_id is not null) and (superseding_id is null) = (consequence is null)
		and (superseding_id is null) = (confirmed_in is null)),
	constraint correction_two_people check (status <> 'confirmed' or decided_by <> proposed_by)
);
create unique index correction_one_open on correction (decision_id) where status = 'proposed';
create index correction_of_decision on correction (decision_id, correction_id);
create index correction_of_provider on correction (provider_id, correction_id);
create index correction_by_status on correction (status, correction_id);
create function guard_correction() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' or old.status <> 'proposed' or (new.correction_id, new.decision_id, new.provider_id, new.period_id, new.reason,
		new.outcome, new.document, new.sha256, new.evaluation_sha256, new.engine, new.changes::text, new.proposed_by,
		new.proposed_on) is distinct from (old.correction_id, old.decision_id, old.provider_id, old.period_id, old.reason, old.outcome,
		old.document, old.sha256, old.evaluation_sha256, old.engine, old.changes::text, old.proposed_by, old.proposed_on) then
		raise exception 'what a correction proposes never changes, nor what became of it' using errcode = 'restrict_violation';
	end if;
	if new.status = 'confirmed' and (new.confirmed_in <> pg_current_xact_id() or not exists (select from decision d
		where d.decision_id = new.superseding_id and d.supersedes = new.decision_id and d.provider_id = new.provider_id
			and d.period_id = new.period_id and d.document = new.document)) then
		raise exception 'a correction is confirmed by the decision that it proposed' using errcode = 'check_violation';
	end if;
	new.version := old.version + 1;
	new.updated_at := clock_timestamp();
	return new;
end $$;
create trigger what_was_proposed_stays before update or delete on correction for each row execute function guard_correction();
create trigger append_only_truncate before truncate on correction execute function refuse_change();

-- Decisions on periods that would not have been, had the decision before them been right.
create table decision_void (
	decision_id text primary key references decision,
	correction_id text not null references correction,
	recorded_at timestamptz not null default clock_timestamp()
);
create trigger append_only before update or delete on decision_void for each row execute function refuse_change();
create trigger append_only_truncate before truncate on decision_void execute function refuse_change();

-- A period that a correction took away leaves its number to the one that takes its place.
alter table period drop constraint period_application_id_stage_number_key;
create unique index period_number_once on period (application_id, stage, number) where status <> 'cancelled';

-- ---- moves of a provider's life that nothing but a correction makes; model/rules/lifecycle.c holds the same ----
create table lifecycle_correction (
	from_status text not null,
	to_status text not null,
	primary key (from_status, to_status)
);
insert into lifecycle_correction values
	('revoked', 'certified'), ('trial_failed', 'certified'), ('rejected', 'certified'), ('withdrawn', 'certified'),
	('certified', 'trial_failed'), ('revoked', 'trial_failed'),
	('certified', 'trial'), ('revoked', 'trial'), ('rejected', 'trial'), ('withdrawn', 'trial');

create or replace function guard_lifecycle() returns trigger language plpgsql as $$
begin
	if tg_op = 'INSERT' then
		if new.status <> 'registered' then
			raise exception 'a provider begins as registered, not %', new.status using errcode = 'check_violation';
		end if;
	elsif new.status <> old.status
		and not exists (select from lifecycle_transition where from_status = old.status and to_status = new.status)
		and not exists (select from lifecycle_correction l join correction c on c.provider_id = new.provider_id
			where l.from_status = old.status and l.to_status = new.status and c.confirmed_in = pg_current_xact_id()) then
		raise exception 'a provider cannot go from % to %', old.status, new.status using errcode = 'check_violation';
	end if;
	return new;
end $$;

-- ---- appeals: a provider's objection to a decision ----
create table appeal (
	appeal_id text primary key,
	decision_id text not null references decision,
	provider_id text not null references provider,
	status text not null default 'open' check (status in ('open', 'confirmed', 'corrected', 'withdrawn')),
	reason text not null check (length(reason) between 1 and 4000),
	documents json not null,
	submitted_by text not null, -- actors
	submitted_on date not null,
	due_on date,                -- the last day for its answer; null: no such day
	answered_by text,           -- or who withdrew it
	answered_on date,
	answer text check (length(answer) between 1 and 4000),
	correction_id text references correction, -- that answers it
	version bigint not null default 1,
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	check ((status = 'open') = (answered_by is null) and (answered_by is null) = (answered_on is null)),
	check ((status = 'corrected') = (correction_id is not null)),
	check (status <> 'confirmed' or answer is not null),
	constraint appeal_two_people check (status in ('open', 'withdrawn') or answered_by <> submitted_by)
);
create unique index appeal_one_open on appeal (decision_id) where status = 'open';
create index appeal_of_decision on appeal (decision_id, appeal_id);
create index appeal_of_provider on appeal (provider_id, appeal_id);
create index appeal_open on appeal (due_on, appeal_id) where status = 'open';
create function guard_appeal() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' or old.status <> 'open' or (new.appeal_id, new.decision_id, new.provider_id, new.reason, new.documents::text,
		new.submitted_by, new.submitted_on, new.due_on) is distinct from (old.appeal_id, old.decision_id, old.provider_id, old.reason,
		old.documents::text, old.submitted_by, old.submitted_on, old.due_on) then
		raise exception 'what an appeal says never changes, nor its answer' using errcode = 'restrict_violation';
	end if;
	new.version := old.version + 1;
	new.updated_at := clock_timestamp();
	return new;
end $$;
create trigger what_was_said_stays before update or delete on appeal for each row execute function guard_appeal();
create trigger append_only_truncate before truncate on appeal execute function refuse_change();
