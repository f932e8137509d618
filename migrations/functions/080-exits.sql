-- Exits (5). What stands in the way is decided in C (model/rules/exit.c) on a snapshot of this; the exit takes place only if
-- nothing does by then: else the answer is `again`.

create or replace function exit_body(x provider_exit) returns text language sql stable as $$
	select row_to_json(y)::text from (select
		x.exit_id, x.provider_id, p.status, x.from_status, x.exited_on,
		x.reason, (select period_read(d.body, d.provider_id, d.status, d.start_day, d.end_day)::json from period d where d.period_id = x.period_id) as period,
		(select refund_body(r)::json from refund r where r.refund_id = x.refund_id) as refund,
		p.reapply_from, p.reapply_cause, x.requested_by, instant(x.recorded_at) as created_at
		from provider p where p.provider_id = x.provider_id) y
$$;

-- The period that runs ends today, undecided; one that has not begun leaves no row. Answers the id of the first kind.
create or replace function period_end_by_exit(p_provider_id text, ctx jsonb) returns text language plpgsql as $$
declare
	before period;
	d period;
begin
	select * into before from period where running_of = p_provider_id for update;
	if not found then return null; end if;
	if before.status = 'scheduled' then
		perform period_cancel(before, ctx);
		return null;
	end if;
	update period set status = 'cancelled', end_day = assay_today(), version = version + 1
		where period_id = before.period_id returning * into d;
	perform audit_add(ctx, 'period.cancelled', d.period_id, period_audited(before), period_audited(d));
	perform event_add('period.cancelled', d.provider_id, d.period_id, period_audited(d));
	return d.period_id;
end $$;

-- Something stands in the way, as model/rules/exit.c sees it.
create or replace function exit_obstructed(p_provider_id text) returns boolean language sql stable as $$
	select exists (select from deduction_open(p_provider_id)) or exists (select from refund_running(p_provider_id))
		or exists (select from period where running_of = p_provider_id and status <> 'scheduled'
			and (status = 'awaiting_data' or end_day < assay_today()))
$$;

-- args: provider_id, expected_version (the provider's), today, reason?
create or replace function op_provider_exit(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	p provider;
	x provider_exit;
	made_id text := new_id('ext');
	cancelled_id text;
	asked refund;
begin
	select * into p from provider where provider_id = args->>'provider_id' for update;
	if p.version is distinct from (args->>'expected_version')::bigint or assay_today() <> (args->>'today')::date
		or p.status not in ('certified', 'revoked') or exit_obstructed(p.provider_id) then
		return answer_problem('again');
	end if;
	cancelled_id := period_end_by_exit(p.provider_id, ctx);
	perform provider_transition(p.provider_id, 'exited', assay_today(), made_id, ctx);
	asked := refund_request(ctx, p.provider_id, null, coalesce(args->>'reason', 'exit'));
	insert into provider_exit (exit_id, provider_id, from_status, exited_on, reason, period_id, refund_id, requested_by)
	values (made_id, p.provider_id, p.status, assay_today(), args->>'reason', cancelled_id, asked.refund_id, actor_of(ctx))
	returning * into x;
	perform audit_add(ctx, 'provider.exit_recorded', x.exit_id, null, exit_body(x)::jsonb);
	return answer_body(200, exit_body(x));
end $$;
