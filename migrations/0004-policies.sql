-- Policies that callers draft and publish, and simulations: what a policy would have made of periods that are decided.

-- ---- policies: who and when; a draft keeps its name, a published version everything ----
alter table policy
	add column created_by text not null default 'system', -- the actor; what there was before came from the command line
	add column updated_at timestamptz not null default now(),
	add column published_by text;
alter table policy alter column created_by drop default;
create index policy_drafts on policy (policy_id, effective_from) where status = 'draft';

create or replace function refuse_published_change() returns trigger language plpgsql as $$
begin
	if old.status = 'published' then
		raise exception 'policy %@% is published and never changes', old.policy_id, old.version using errcode = 'restrict_violation';
	end if;
	if tg_op = 'DELETE' then return old; end if;
	if (new.policy_id, new.version, new.created_by, new.created_at)
		is distinct from (old.policy_id, old.version, old.created_by, old.created_at) then
		raise exception 'a draft keeps its name: policy %@%', old.policy_id, old.version using errcode = 'restrict_violation';
	end if;
	new.updated_at := clock_timestamp();
	return new;
end $$;

-- ---- simulations ----
create index period_decided on period (end_day, period_id) where decision_id is not null;

create table simulation (
	simulation_id text primary key,
	-- what was asked
	policy text not null,   -- 'id@version': a draft, or a published version
	document text not null, -- the policy as it is tried, canonical
	sha256 text not null check (length(sha256) = 64), -- of it
	industry text not null, -- whose periods: those of providers that were admitted under a policy of it
	example boolean not null,
	changes json,           -- what of `policy` was changed for this; null: nothing, or a whole policy was given
	from_day day_key not null,
	through_day day_key not null check (through_day >= from_day),
	stages text[] not null check (cardinality(stages) between 1 and 2 and stages <@ array['trial', 'regular']),
	created_by text not null, -- the actor
	created_at timestamptz not null default clock_timestamp(),
	-- how far it has come: with the results of every chunk, so that whoever takes it up goes on from there
	status text not null default 'queued' check (status in ('queued', 'running', 'done', 'failed')),
	after_end date,
	after_id text,
	done bigint not null default 0,
	total bigint not null default 0,
	undecided bigint not null default 0, -- periods of the span that have no decision to compare with
	still_met bigint not null default 0,
	still_not_met bigint not null default 0,
	would_pass bigint not null default 0,
	would_fail bigint not null default 0,
	not_judged bigint not null default 0,
	measures json not null default '[]', -- which criteria made the difference, counted when it is done
	progressed_at timestamptz not null default clock_timestamp(),
	finished_at timestamptz,
	check ((finished_at is not null) = (status in ('done', 'failed')))
);
create index simulation_by_status on simulation (status, simulation_id);
create index simulation_unfinished on simulation (simulation_id) where status in ('queued', 'running');
create function guard_simulation() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' or old.status in ('done', 'failed') or (new.simulation_id, new.policy, new.document, new.sha256, new.industry,
		new.example, new.from_day, new.through_day, new.stages, new.created_by, new.created_at) is distinct from (old.simulation_id,
		old.policy, old.document, old.sha256, old.industry, old.example, old.from_day, old.through_day, old.stages, old.created_by,
		old.created_at) or new.changes::text is distinct from old.changes::text then
		raise exception 'what a simulation was asked, and what it found, never changes' using errcode = 'restrict_violation';
	end if;
	return new;
end $$;
create trigger what_was_asked_stays before update or delete on simulation for each row execute function guard_simulation();
create trigger append_only_truncate before truncate on simulation execute function refuse_change();

create table simulation_result ( -- the periods for which it makes a difference, and those that could not be judged
	simulation_id text not null references simulation,
	period_id text not null references period,
	provider_id text not null,
	decision_id text not null references decision, -- which decision it was compared with
	difference text not null check (difference in ('would_pass', 'would_fail', 'not_judged')),
	reason text check (reason in ('awaiting_data', 'unreadable')), -- why it could not be judged
	figures_differ boolean, -- its own policies, too, would give another outcome from today's figures; null: cannot be told
	criteria json not null, -- would_fail: what is missing; would_pass: what was missing
	primary key (simulation_id, period_id),
	check ((reason is not null) = (difference = 'not_judged'))
);
create index simulation_result_by_difference on simulation_result (simulation_id, difference, period_id);
create trigger append_only before update or delete on simulation_result for each row execute function refuse_change();
create trigger append_only_truncate before truncate on simulation_result execute function refuse_change();
