-- The daily job's days, and the test clock that lives through them.

-- The next day in (after, through] on which the daily job has anything to do; null when there is none. What is overdue is the
-- next day's.
create or replace function daily_next_day(after date, through date) returns date language sql stable as $$
	select min(greatest(due, after + 1)) from (
		select min(start_day) from period where status = 'scheduled'
		union all select refund_expiry_due()
		union all select min(end_day) + 1 from period where status = 'open'
		union all select min(end_day) + 1 from period where status = 'awaiting_data' and end_day <= (select day from watermark)) x(due)
	where due is not null and greatest(due, after + 1) <= through
$$;

-- The daily jobs up to that day are done. Periods that the watermark has not reached are measured as of today, which has moved.
create or replace function daily_done(through date) returns void language plpgsql as $$
declare
	last date := (select max(day) from job_day);
begin
	update period set facts_version = facts_version + 1
	where status in ('open', 'awaiting_data') and coalesce((select day from watermark), '-infinity') < start_day;
	insert into job_day (day)
	select d::date from generate_series(least(coalesce(last + 1, through), through), through, interval '1 day') d
	on conflict do nothing;
	if found then
		perform audit_add(closing_ctx(null), 'daily_job.done', 'daily-job', jsonb_build_object('day', last),
			jsonb_build_object('day', through));
	end if;
end $$;

-- What kind of clock the database has, fixed by the first service that starts on it. Answers what it is.
create or replace function clock_fix(ctx jsonb, p_mode text) returns text language plpgsql as $$
begin
	update clock set mode = p_mode where mode is null;
	if found then
		perform audit_add(ctx, 'clock.fixed', 'clock', '{"mode": null}', jsonb_build_object('mode', p_mode));
	end if;
	return (select mode from clock);
end $$;

-- The test clock shows that day from now on; never an earlier one.
create or replace function clock_show(ctx jsonb, to_day date) returns void language plpgsql as $$
declare
	c clock;
begin
	select * into strict c from clock for update;
	if c.mode = 'test' and (c.today is null or c.today < to_day) then
		update clock set today = to_day;
		perform audit_add(ctx, 'clock.moved', 'clock', jsonb_build_object('today', c.today), jsonb_build_object('today', to_day));
	end if;
end $$;

-- args: today, came_from (null: the clock was never set). The days between have been lived through already.
create or replace function op_clock_set(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	c clock;
	target date := (args->>'today')::date;
	came_from date := (args->>'came_from')::date;
	answered text := '{"today":"' || target || '"}';
begin
	select * into strict c from clock for update;
	if c.mode is distinct from 'test' then
		return answer_problem('not_found');
	end if;
	if c.today > target then
		return answer_problem('clock_moves_forward', c.today::text, target::text);
	end if;
	perform clock_show(ctx, target);
	perform daily_done(target);
	if came_from is distinct from target then
		-- Figures up to the new day count from now on.
		update period set facts_version = facts_version + 1
			where status in ('open', 'awaiting_data') and (came_from is null or came_from < (select day from watermark));
		perform event_add('clock.moved', null, 'clock', answered::jsonb);
	end if;
	return answer_body(200, answered);
end $$;
