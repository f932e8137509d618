-- Late figures: which decisions an import concerns, what is kept of that, and what callers see of it.

-- The last day that a decided period's decision looks at: an early conversion's may lie before its end.
create or replace function decided_through(p period) returns date language sql stable as $$
	select case p.status when 'converted' then coalesce((select as_of from decision d where d.decision_id = p.decision_id), p.end_day)
		else p.end_day end
$$;

-- What a policy says to a member of its decisions, in days; null: unset.
create or replace function policy_decisions_days(policies text[], field text) returns integer language sql stable as $$
	select (p.document::json #>> array['decisions', field])::integer from policy_of(policies[cardinality(policies)]) p
$$;

-- The last day on which a correction may arrive that re-opens the period; null: there is none.
create or replace function period_reopen_until(p period) returns date language sql stable as $$
	select p.end_day + policy_decisions_days(p.policies, 'reopen_days')
$$;

-- How far back an earlier binding is looked at (3.2), and whether other providers' are.
create or replace function policies_repeat_months(policies text[]) returns integer language sql stable as $$
	select max((p.document::json #>> '{counting,repeat_window_months}')::integer) from unnest(policies) ref, policy_of(ref) p
$$;
create or replace function policies_look_at_others(policies text[]) returns boolean language sql stable as $$
	select bool_or(p.document::json #>> '{counting,repeat_scope}' = 'any') from unnest(policies) ref, policy_of(ref) p
$$;

-- A binding that begins in the period may be a repeat of one that ended by `ended` (months of different lengths: rather too often).
create or replace function repeat_reaches(ended date, policies text[], start_day date) returns boolean language sql stable as $$
	select ended = 'infinity' or start_day <= ended + make_interval(months => policies_repeat_months(policies), days => 3)
$$;

-- Decisions that today's facts may differ from, now that this import is in: one too many rather than one too few, what differs is
-- computed afterwards. What the import touched is in import_touched, with the days that it bears on:
--   store_days   the days whose figures changed                  counts for a period that has such a day
--   stores       from that version's first day on                 counts when no later version is in force on the evaluation day
--   bindings     the days that are bound now and were not, or the other way round: also to a later binding, as the earlier one
--   exam_passes  from the day of the pass on                      counts for every period that ends then or later
create or replace function decisions_concerned(p_kind text) returns table (decision_id text, first_day date) language plpgsql stable as $$
begin
	return query
	with decided as not materialized (
		select p.decision_id, p.provider_id, p.start_day, p.end_day, decided_through(p) as through, p.policies
		from period p where p.status in ('passed', 'failed', 'converted')),
	touched as (select * from import_touched t where t.first_day <= (select day from watermark)), -- nothing is decided beyond it
	reach as (
		select d.decision_id, d.start_day, t.first_day
		from touched t join binding b using (store_id) join decided d on d.provider_id = b.provider_id and d.end_day >= t.first_day
		where p_kind in ('store_days', 'stores') and t.first_day <= d.through
			and b.bound_on <= d.through and (b.unbound_on is null or b.unbound_on >= d.start_day)
			and case p_kind when 'store_days' then t.last_day >= d.start_day
				else not exists (select from store_version v
					where v.store_id = t.store_id and v.valid_from > t.first_day and v.valid_from <= d.through) end
		union all
		select d.decision_id, d.start_day, t.first_day
		from touched t join decided d on d.provider_id = t.provider_id and d.end_day >= t.first_day
		where p_kind = 'bindings' and t.first_day <= d.through and repeat_reaches(t.last_day, d.policies, d.start_day)
		union all
		select d.decision_id, d.start_day, t.first_day
		from touched t join binding b on b.store_id = t.store_id and b.provider_id <> t.provider_id
		join decided d on d.provider_id = b.provider_id and d.end_day >= t.first_day and b.bound_on between d.start_day and d.through
		where p_kind = 'bindings' and t.first_day <= d.through and policies_look_at_others(d.policies)
			and repeat_reaches(t.last_day, d.policies, d.start_day)
		union all
		select d.decision_id, d.start_day, t.first_day
		from import_touched_provider t join decided d on d.provider_id = t.provider_id and d.end_day >= t.first_day
		where t.first_day <= d.through)
	select r.decision_id, min(greatest(r.first_day, r.start_day)) from reach r group by r.decision_id order by r.decision_id;
end $$;

-- In the import's own transaction: each decision that it concerns is stale, until what today's facts make of it is known and is
-- the same. A night that corrects nothing behind the watermark looks at nothing.
create or replace function import_mark_decisions(ctx jsonb, p_import_id text, p_kind text) returns void language plpgsql as $$
declare
	today date := assay_today();
	m record;
begin
	if not exists (select from import_touched) and not exists (select from import_touched_provider) then return; end if;
	for m in
		with concerned as materialized (
			select c.decision_id, c.first_day, coalesce(r.differs is distinct from false and r.decision_id is not null, false) as was_stale
			from decisions_concerned(p_kind) c left join decision_review r using (decision_id)),
		marked as (
			insert into decision_stale (decision_id, import_id, first_day, marked_on)
			select c.decision_id, p_import_id, c.first_day, today from concerned c),
		kept as (
			insert into decision_review as r (decision_id, marked_on) select c.decision_id, today from concerned c order by c.decision_id
			on conflict (decision_id) do update set marks = r.marks + 1, differs = nullif(r.differs, false),
				marked_on = case when r.differs is false then excluded.marked_on else r.marked_on end)
		select x.decision_id, x.provider_id, c.was_stale, jsonb_build_object('decision_id', x.decision_id, 'provider_id', x.provider_id,
				'period_id', x.period_id, 'import_id', p_import_id, 'first_day', c.first_day) as told
			from concerned c join decision x using (decision_id) order by x.decision_id
	loop
		perform audit_add(ctx, 'decision.marked_stale', m.decision_id, null, m.told);
		if not m.was_stale then
			perform event_add('decision.stale', m.provider_id, m.decision_id, m.told);
		end if;
	end loop;
end $$;

-- What today's facts make of marked decisions, computed elsewhere on a snapshot: kept where no import marked them since. Those of
-- which they make the same are stale no more; a proposal of something else has lapsed. Arrays of one length; a null outcome:
-- it could not be judged (the log says why), and stays as it is until it is marked again.
create or replace function decisions_reviewed(ctx jsonb, ids text[], versions bigint[], differ boolean[], outcomes text[], p_changes text[],
	evaluations text[]) returns void language plpgsql as $$
declare
	seen record;
begin
	perform from correction where decision_id = any (ids) and status = 'proposed' order by correction_id for update; -- as a confirmation does
	perform from decision_review where decision_id = any (ids) order by decision_id for update;
	for seen in
		update decision_review r set reviewed = r.marks, differs = x.differs, outcome = coalesce(x.outcome, r.outcome),
			changes = coalesce(x.changes::json, r.changes),
			reviewed_at = case when x.outcome is null then r.reviewed_at else clock_timestamp() end
		from unnest(ids, versions, differ, outcomes, p_changes, evaluations) x(decision_id, marks, differs, outcome, changes, sha256), decision_review o
		where r.decision_id = x.decision_id and r.marks = x.marks and o.decision_id = r.decision_id
		returning r.decision_id, r.differs, o.differs as differed, x.sha256
	loop
		if seen.differs is false and seen.differed is distinct from false then
			perform audit_add(ctx, 'decision.found_unchanged', d.decision_id, '{"stale": true}',
					jsonb_build_object('provider_id', d.provider_id, 'stale', false)),
				event_add('decision.found_unchanged', d.provider_id, d.decision_id, decision_audited(d))
				from decision d where decision_id = seen.decision_id;
		end if;
		perform correction_lapse(c, ctx) from correction c
			where c.decision_id = seen.decision_id and c.status = 'proposed' and c.evaluation_sha256 <> seen.sha256;
	end loop;
end $$;

-- Why a decision is stale, and what today's facts make of it; null when it is not.
create or replace function decision_stale_json(d decision) returns json language plpgsql stable as $$
begin
	return (select row_to_json(x) from (
		select instant(m.since) as since, m.first_day, m.imports, u.until as reopen_until,
			coalesce(r.marked_on <= u.until, true) as reopenable,
			(select row_to_json(y) from (select r.outcome, r.outcome <> d.outcome as outcome_changes, r.changes,
				instant(r.reviewed_at) as reviewed_at) y where r.marks = r.reviewed and r.outcome is not null) as review
		from decision_review r join period p on p.period_id = d.period_id
		cross join lateral (select period_reopen_until(p) as until) u
		cross join lateral (select min(recorded_at) as since, min(first_day) as first_day,
			coalesce(json_agg(import_id order by recorded_at, import_id), '[]') as imports
			from decision_stale s where s.decision_id = d.decision_id and s.marked_on >= r.marked_on) m
		where r.decision_id = d.decision_id and r.differs is distinct from false) x);
end $$;
