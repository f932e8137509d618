-- Assessment runs: a closing that a caller asked for, its progress and its results.

create or replace function run_body(r assessment_run) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		r.run_id, r.as_of, r.dry_run, r.status, (select row_to_json(z) from (select r.done, r.total) z) as progress,
		(select row_to_json(z) from (select r.met, r.not_met, r.awaiting_data) z) as outcomes, r.created_by,
		instant(r.created_at) as created_at, instant(r.progressed_at) as progressed_at, instant(r.finished_at) as finished_at) x
$$;

create or replace function run_result_body(x assessment_run_result) returns text language sql stable as $$
	select row_to_json(y)::text from (select
		x.period_id, x.provider_id, d.stage, d.number, d.start_day as start, d.end_day as "end", d.example, x.outcome, x.decision_id,
		(select row_to_json(z) from (select x.missing_from as "from", x.missing_through as through) z where x.missing_from is not null)
			as missing_days, x.missing_store_days
		from period d where d.period_id = x.period_id) y
$$;

-- How many periods a closing as of that day would look at: those it can decide and those that wait for figures.
create or replace function closing_total(as_of date) returns bigint language sql stable as $$
	select count(*) from period p where status in ('open', 'awaiting_data') and end_day <= as_of
$$;

create or replace function op_run_create(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	r assessment_run;
	today date := assay_today();
	day date := (args->>'as_of')::date;
begin
	if day > today then
		return row(null, 'invalid_request', array['1'], jsonb_build_array(jsonb_build_object('pointer', '/as_of',
			'code', 'day_in_future', 'args', jsonb_build_array(day, today))), null, null, null, null)::answer;
	end if;
	insert into assessment_run (run_id, as_of, dry_run, status, total, created_by)
	values (new_id('run'), day, (args->>'dry_run')::boolean, 'queued', closing_total(day), ctx->>'key_id') returning * into r;
	perform audit_add(ctx, 'run.created', r.run_id, null, run_body(r)::jsonb);
	perform event_add('run.created', null, r.run_id, run_body(r)::jsonb);
	return answer_body(201, run_body(r), null, '/v1/assessment-runs/' || r.run_id);
end $$;

-- A run is taken up: for the first time, or after whoever had it is gone.
create or replace function run_begin(p_run_id text) returns assessment_run language sql as $$
	update assessment_run r set status = 'running', done = x.met + x.not_met, met = x.met, not_met = x.not_met,
		total = greatest(r.total, x.met + x.not_met + closing_total(r.as_of)), progressed_at = clock_timestamp()
	from (select count(*) filter (where outcome = 'met') as met, count(*) filter (where outcome = 'not_met') as not_met
		from assessment_run_result where run_id = p_run_id) x
	where run_id = p_run_id and status in ('queued', 'running') returning r.*
$$;

-- A chunk's results. One that waited for figures at first may be decided later in the same run.
create or replace function run_results_add(p_run_id text, period_ids text[], decision_ids text[], outcomes text[]) returns void
language plpgsql as $$
begin
	if p_run_id is null then return; end if;
	insert into assessment_run_result (run_id, period_id, provider_id, outcome, decision_id)
	select p_run_id, d.period_id, d.provider_id, x.outcome, x.decision_id
	from unnest(period_ids, decision_ids, outcomes) x(period_id, decision_id, outcome) join period d using (period_id)
	on conflict (run_id, period_id) do update
		set outcome = excluded.outcome, decision_id = excluded.decision_id, missing_from = null, missing_through = null,
			missing_store_days = null;
end $$;

-- So many more of its results are there: told after the chunk was committed, so that those who share a run's work do not wait for
-- each other. Should that be lost, run_begin() and run_finish() count anew.
create or replace function run_progress(p_run_id text, more_met bigint, more_not_met bigint) returns void language sql as $$
	update assessment_run set progressed_at = clock_timestamp(), done = done + more_met + more_not_met,
		total = greatest(total, done + more_met + more_not_met), met = met + more_met, not_met = not_met + more_not_met
	where run_id = p_run_id and status = 'running'
$$;

create or replace function run_finish(p_run_id text, ok boolean) returns void language plpgsql as $$
declare
	r assessment_run;
begin
	update assessment_run set status = case when ok then 'done' else 'failed' end, progressed_at = clock_timestamp(),
		finished_at = clock_timestamp(), (done, total, met, not_met, awaiting_data) = (
			select count(*), count(*), count(*) filter (where outcome = 'met'), count(*) filter (where outcome = 'not_met'),
				count(*) filter (where outcome = 'awaiting_data') from assessment_run_result where run_id = p_run_id)
		where run_id = p_run_id and status = 'running' returning * into r;
	if found then
		perform audit_add(closing_ctx(r.run_id), 'run.finished', r.run_id, '{"status": "running"}', run_body(r)::jsonb);
		perform event_add('run.finished', null, r.run_id, run_body(r)::jsonb);
	end if;
end $$;

-- The run as it is when its request is answered, a moment after it began: kept under the key in place of the first answer, which
-- nobody has seen (the worker holds the key all the while).
create or replace function run_answer(ctx jsonb, p_run_id text) returns text language plpgsql as $$
declare
	answered text;
begin
	select run_body(r) into strict answered from assessment_run r where run_id = p_run_id;
	update idempotency_key set body = answered where caller = actor_of(ctx) and key = ctx->>'idempotency_key';
	return answered;
end $$;
