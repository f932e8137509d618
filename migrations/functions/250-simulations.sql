-- Simulations: a policy, tried on periods that are decided. They read; what they write is their own report.

create or replace function simulation_body(s simulation) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		s.simulation_id, s.policy, s.industry, s.example, s.from_day as "from", s.through_day as through, s.stages, s.changes,
		s.document::json as tried, s.sha256, s.status, (select row_to_json(z) from (select s.done, s.total) z) as progress,
		(select row_to_json(z) from (select (select row_to_json(u) from (select s.still_met as met, s.still_not_met as not_met) u) as unchanged,
			s.would_pass, s.would_fail, s.not_judged, s.undecided) z) as totals,
		s.measures, s.created_by, instant(s.created_at) as created_at, instant(s.progressed_at) as progressed_at,
		instant(s.finished_at) as finished_at) x
$$;

create or replace function simulation_result_body(r simulation_result) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		r.period_id, r.provider_id, d.stage, d.number, d.start_day as start, d.end_day as "end", d.example or s.example as example, r.decision_id,
		o.outcome as was, r.difference, r.reason, r.figures_differ, r.criteria
		from period d, decision o, simulation s
		where d.period_id = r.period_id and o.decision_id = r.decision_id and s.simulation_id = r.simulation_id) x
$$;

-- What the audit log and events keep of one: not the policy, which its hash stands for.
create or replace function simulation_audited(s simulation) returns jsonb language sql stable as $$
	select simulation_body(s)::jsonb - 'tried' - 'progressed_at'
$$;

-- The periods that ended in a span of days, of providers that were admitted under a policy of an industry: those that are decided, and
-- those that still wait to be.
create or replace function simulation_span(p_industry text, p_from date, p_through date, p_stages text[], out decided bigint,
	out undecided bigint) language sql stable as $$
	with of_industry as materialized (
		select a.application_id from application a join policy y on (y.policy_id, y.version) = (a.policy_id, a.policy_version)
		where y.industry = p_industry)
	select
		(select count(*) from period d where d.decision_id is not null and d.end_day between p_from and p_through and d.stage = any (p_stages)
			and d.application_id in (select application_id from of_industry)),
		(select count(*) from period d where d.status in ('open', 'awaiting_data') and d.end_day between p_from
			and least(p_through, assay_today() - 1) and d.stage = any (p_stages)
			and d.application_id in (select application_id from of_industry))
$$;

-- args: policy ('id@version' that it was asked of), document, sha256, changes?, from, through, stages
create or replace function op_simulation_create(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	d json := (args->>'document')::json;
	wanted text[] := array(select jsonb_array_elements_text(args->'stages'));
	s simulation;
begin
	insert into simulation (simulation_id, policy, document, sha256, industry, example, changes, from_day, through_day, stages, created_by)
	values (new_id('sim'), args->>'policy', args->>'document', args->>'sha256', d->>'industry', (d->>'example')::boolean,
		(args->>'changes')::json, (args->>'from')::date, (args->>'through')::date, wanted, actor_of(ctx))
	returning * into s;
	update simulation set (total, undecided) = (select n.decided, n.undecided
		from simulation_span(s.industry, s.from_day, s.through_day, s.stages) n)
		where simulation_id = s.simulation_id returning * into s;
	perform audit_add(ctx, 'simulation.created', s.simulation_id, null, simulation_audited(s));
	perform event_add('simulation.created', null, s.simulation_id, simulation_audited(s));
	return answer_body(201, simulation_body(s), null, '/v1/simulations/' || s.simulation_id);
end $$;

-- Who a simulation acts for: whoever asked for it.
create or replace function simulation_ctx(p_simulation_id text) returns jsonb language sql stable as $$
	select jsonb_build_object('request_id', request_id, 'key_id', actor_id, 'key_name', actor_name)
	from audit where subject = p_simulation_id and action = 'simulation.created' order by audit_id limit 1
$$;

-- It is taken up: for the first time, or after whoever had it is gone. No row when there is nothing left to do.
create or replace function simulation_begin(p_simulation_id text) returns setof simulation language sql as $$
	update simulation set status = 'running', progressed_at = clock_timestamp()
	where simulation_id = p_simulation_id and status in ('queued', 'running') returning *
$$;

-- A chunk's results, and where it came to, in the transaction that judged it. Arrays of one length, of what makes a difference only.
create or replace function simulation_add(p_simulation_id text, p_after_end date, p_after_id text, p_still_met bigint, p_still_not_met bigint,
	period_ids text[], provider_ids text[], decision_ids text[], differences text[], reasons text[], figures boolean[], criteria text[])
returns void language plpgsql as $$
declare
	more bigint[] := array(select count(*) filter (where x = k.difference)
		from unnest(array['would_pass', 'would_fail', 'not_judged']) with ordinality k(difference, n), unnest(array_append(differences, '-')) x
		group by k.n order by k.n);
begin
	insert into simulation_result (simulation_id, period_id, provider_id, decision_id, difference, reason, figures_differ, criteria)
	select p_simulation_id, x.* from unnest(period_ids, provider_ids, decision_ids, differences, reasons, figures, criteria::json[]) x;
	update simulation set after_end = p_after_end, after_id = p_after_id, done = done + p_still_met + p_still_not_met
			+ cardinality(period_ids), total = greatest(total, done + p_still_met + p_still_not_met + cardinality(period_ids)),
		still_met = still_met + p_still_met, still_not_met = still_not_met + p_still_not_met,
		would_pass = would_pass + more[1], would_fail = would_fail + more[2], not_judged = not_judged + more[3],
		progressed_at = clock_timestamp()
	where simulation_id = p_simulation_id;
end $$;

-- How many periods each measure turned.
create or replace function simulation_measures(p_simulation_id text) returns json language sql stable as $$
	select coalesce(json_agg(x order by x.measure), '[]') from (
		select c->>'measure' as measure, count(distinct r.period_id) filter (where r.difference = 'would_pass') as would_pass,
			count(distinct r.period_id) filter (where r.difference = 'would_fail') as would_fail
		from simulation_result r, json_array_elements(r.criteria) c
		where r.simulation_id = p_simulation_id and r.difference <> 'not_judged' and coalesce((c->>'turned')::boolean, true)
		group by 1) x
$$;

create or replace function simulation_finish(p_simulation_id text, ok boolean) returns void language plpgsql as $$
declare
	s simulation;
begin
	update simulation set status = case when ok then 'done' else 'failed' end, measures = simulation_measures(p_simulation_id),
		total = case when ok then done else total end, progressed_at = clock_timestamp(), finished_at = clock_timestamp()
		where simulation_id = p_simulation_id and status = 'running' returning * into s;
	if found then
		perform audit_add(simulation_ctx(s.simulation_id), 'simulation.finished', s.simulation_id, '{"status": "running"}', simulation_audited(s));
		perform event_add('simulation.finished', null, s.simulation_id, simulation_audited(s));
	end if;
end $$;
