-- Decisions: immutable documents that stand alone (model/rules/document.h). Those made before they did have their evidence beside.

-- The resource up to its document, and after it.
-- In plpgsql, whose plans stay with the connection: in SQL each row of a list would have all of these planned again.
create or replace function decision_head(d decision) returns text language plpgsql stable as $$
begin
	return concat('{"decision_id":', to_json(d.decision_id), ',"provider_id":', to_json(d.provider_id), ',"period_id":',
		to_json(d.period_id), ',"run_id":', coalesce(to_json(d.run_id)::text, 'null'), ',"outcome":"', d.outcome,
		'","decided_on":"', d.decided_on, '","decided_at":"', instant(d.decided_at), '","example":',
		(select exists (select from policy y where y.example and policy_ref(y.policy_id, y.version) = any (x.policies))::text
			from period x where x.period_id = d.period_id));
end $$;

-- What happened to it since, which is none of its document's: late figures, the correction that took its period away, corrections
-- proposed and appeals.
create or replace function decision_marks(d decision) returns text language plpgsql stable as $$
begin
	return concat(',"stale":', coalesce(decision_stale_json(d)::text, 'null'), ',"voided_by":',
		coalesce((select to_json(v.correction_id)::text from decision_void v where v.decision_id = d.decision_id), 'null'), ',"corrections":',
		(select coalesce(json_agg(json_build_object('correction_id', c.correction_id, 'status', c.status, 'outcome', c.outcome)
			order by c.correction_id), '[]') from correction c where c.decision_id = d.decision_id), ',"appeals":',
		(select coalesce(json_agg(json_build_object('appeal_id', a.appeal_id, 'status', a.status, 'due_on', a.due_on,
			'overdue', a.status = 'open' and coalesce(a.due_on < assay_today(), false)) order by a.appeal_id), '[]')
			from appeal a where a.decision_id = d.decision_id));
end $$;

create or replace function decision_tail(d decision) returns text language plpgsql stable as $$
begin
	return concat(',"sha256":"', d.sha256, '","engine":', to_json(d.engine), ',"supersedes":',
		coalesce(to_json(d.supersedes)::text, 'null'), ',"superseded_by":',
		coalesce((select to_json(s.decision_id)::text from decision s where s.supersedes = d.decision_id), 'null'),
		decision_marks(d), '}');
end $$;

-- `document` stands in it byte for byte as it was decided, so that its sha256 can be checked.
create or replace function decision_body(d decision) returns text language plpgsql stable as $$
begin
	return decision_head(d) || ',"document":' || d.document || decision_tail(d);
end $$;

-- For lists: without the document.
create or replace function decision_summary(d decision) returns text language plpgsql stable as $$
begin
	return decision_head(d) || decision_tail(d);
end $$;

-- A decision never changes, but what happens to it is shown with it.
create or replace function decision_etag(d decision) returns text language sql stable as $$
	select concat(d.sha256, '-', left(encode(sha256(convert_to(decision_tail(d), 'UTF8')), 'hex'), 16))
$$;

-- What the audit log and events keep of a decision: enough to find and check it.
create or replace function decision_audited(d decision) returns jsonb language sql stable as $$
	select jsonb_build_object('decision_id', d.decision_id, 'provider_id', d.provider_id, 'period_id', d.period_id,
		'outcome', d.outcome, 'sha256', d.sha256)
$$;

-- Early conversion (3.2), decided on by the service in the transaction that calls this. args: provider_id, period_id, decided_on (today, as
-- its document says), document, sha256, engine, progress, note?. The trial ends today; the first regular period begins on the next 1st.
create or replace function op_early_convert(ctx jsonb, args jsonb) returns answer language plpgsql as $$
declare
	p provider;
	d period;
	made decision;
	today date := assay_today();
	was jsonb;
begin
	select * into strict p from provider where provider_id = args->>'provider_id' for update;
	select * into strict d from period where period_id = args->>'period_id' for update;
	if p.status <> 'trial' or d.status <> 'open' or d.stage <> 'trial' or today > d.end_day
		or today <> (args->>'decided_on')::date then
		return answer_problem('again');
	end if;
	insert into decision (decision_id, provider_id, period_id, outcome, decided_on, document, sha256, engine, as_of)
	values (new_id('dec'), p.provider_id, d.period_id, 'met', today, args->>'document', args->>'sha256', args->>'engine',
		least(today, (select day from watermark)))
	returning * into made;
	was := jsonb_build_object('status', d.status, 'end', d.end_day);
	update period set status = 'converted', end_day = today, decision_id = made.decision_id, progress = args->>'progress',
		progress_version = facts_version, version = version + 1
		where period_id = d.period_id returning * into d;
	perform audit_add(ctx, 'decision.made', made.decision_id, null,
		decision_audited(made) || jsonb_strip_nulls(jsonb_build_object('note', args->>'note')));
	perform event_add('decision.made', made.provider_id, made.decision_id, decision_audited(made));
	perform period_event('period.converted', d, ctx, was);
	perform provider_transition(p.provider_id, 'certified', today, made.decision_id, ctx);
	perform open_next_periods(array[d.period_id], ctx);
	return answer_body(201, decision_body(made), decision_etag(made), '/v1/decisions/' || made.decision_id);
end $$;
