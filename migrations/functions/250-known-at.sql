-- As known then: what the service knew at an instant, told by the very statements that tell what it knows now. A session that
-- looks back (known_begin) finds, under the names of the tables, views of what they held at that instant. How each row's instant
-- comes about is in 0007-known-at.sql.

-- ---- keeping what changes in place ----

-- This transaction, as the histories name it. An operation that is undone takes its moment along.
create or replace function moment_now() returns bigint language plpgsql as $$
declare
	m bigint := nullif(current_setting('assay.moment', true), '')::bigint;
begin
	if m is null then
		insert into moment default values returning moment into m;
		perform set_config('assay.moment', m::text, true);
	end if;
	return m;
end $$;

create or replace function state_keep(p_kind text, p_id text, p_provider_id text, p_was jsonb, p_gone boolean default false) returns void
language plpgsql as $$
begin
	insert into state_history (kind, id, moment, provider_id, was, gone)
	values (p_kind, p_id, moment_now(), p_provider_id, p_was, p_gone)
	on conflict (kind, id, moment) do update set was = excluded.was, gone = excluded.gone;
end $$;

-- The provider without its contact, which is personal, and without its balance, which its ledger tells for any instant.
create or replace function provider_kept(p provider) returns jsonb language sql stable as $$
	select to_jsonb(p) - array['contact', 'body', 'balance_fen', 'held_fen', 'ledger_seq']
$$;
create or replace function provider_remember(p provider) returns void language plpgsql as $$
begin
	perform state_keep('provider', p.provider_id, p.provider_id, provider_kept(p));
end $$;

-- Of many rows that one transaction changes in steps, what each has become is kept once, in the end: until states_kept_together() their
-- triggers keep nothing. Whoever begins this must name all that it changes.
create or replace function states_keep_together() returns void language sql as $$
	select set_config('assay.keeps_together', 'on', true);
$$;
create or replace function states_kept_together(provider_ids text[], period_ids text[]) returns void language plpgsql as $$
declare
	here constant bigint := moment_now();
begin
	perform set_config('assay.keeps_together', '', true);
	insert into state_history (kind, id, moment, provider_id, was)
	select 'provider', provider_id, here, provider_id, provider_kept(p) from provider p where provider_id = any (provider_ids)
	union all
	select 'period', period_id, here, provider_id, to_jsonb(d) - 'body' from period d where period_id = any (period_ids)
	on conflict (kind, id, moment) do update set was = excluded.was, gone = excluded.gone;
end $$;
create or replace function states_each_kept() returns boolean language sql stable as $$
	select current_setting('assay.keeps_together', true) is distinct from 'on'
$$;

create or replace function provider_was() returns trigger language plpgsql as $$
begin
	perform provider_remember(new);
	return null;
end $$;
-- Not of every column: a payment changes none of these. (When a shortfall begins or ends, deposit_keep() has it kept.)
create or replace trigger was after insert or update of name, service_categories, region, industry, main_category, status, since,
	application_id, policy, revoked_on, reapply_from, reapply_cause, obligation, required_fen on provider
	for each row when (states_each_kept()) execute function provider_was();

create or replace function period_was() returns trigger language plpgsql as $$
declare
	d period := case when tg_op = 'DELETE' then old else new end;
begin
	perform state_keep('period', d.period_id, d.provider_id, to_jsonb(d) - 'body', tg_op = 'DELETE');
	return null;
end $$;
-- Not of the progress of one that runs: that follows from the facts.
create or replace trigger was after insert or delete or update of start_day, end_day, scheduled_end, status, policies, decision_id
	on period for each row when (states_each_kept()) execute function period_was();

create or replace function waiver_was() returns trigger language plpgsql as $$
begin
	perform state_keep('waiver', new.waiver_id, new.provider_id, to_jsonb(new));
	return null;
end $$;
create or replace trigger was after insert or update on waiver for each row execute function waiver_was();

create or replace function clock_was() returns trigger language plpgsql as $$
begin
	perform state_keep('clock', 'clock', null, to_jsonb(new));
	return null;
end $$;
create or replace trigger was after update on clock for each row execute function clock_was();

-- An import's facts, and a policy, are there from one instant on.
create or replace function import_came() returns trigger language plpgsql as $$
begin
	perform state_keep('import', new.import_id, null, '{}');
	return null;
end $$;
create or replace trigger came after insert or update of status on import for each row when (new.status = 'applied')
	execute function import_came();

create or replace function policy_came() returns trigger language plpgsql as $$
begin
	perform state_keep('policy', policy_ref(new.policy_id, new.version), null, '{}');
	return null;
end $$;
create or replace trigger came after insert or update of status on policy for each row when (new.status = 'published')
	execute function policy_came();

-- ---- looking back ----

-- The instant that this session looks back to.
create or replace function known_at() returns timestamptz language sql stable as $$
	select current_setting('assay.known_at')::timestamptz
$$;

-- From now on this session looks back to that instant: the views below stand before the tables of the same names.
create or replace function known_begin(t timestamptz) returns void language plpgsql as $$
begin
	perform set_config('assay.known_at', t::text, false), set_config('assay.known_progress', '', false), set_config('jit', 'off', false);
	if current_setting('search_path') not like 'as_known,%' then
		perform set_config('search_path', 'as_known, ' || current_setting('search_path'), false);
	end if;
end $$;

-- Whether nothing can be said of its instant: a code of the catalogue with its arguments, or null. Waits for whoever was
-- committing when asked, so that an instant's answer is the same for ever.
create or replace function known_refused(out code text, out asked text, out compared_with text) language plpgsql as $$
declare
	now timestamptz := clock_timestamp();
	began timestamptz := (select at from state_history_began);
begin
	asked := instant(known_at());
	if known_at() > now then
		code := 'instant_in_future';
		compared_with := instant(now);
	elsif known_at() < began then
		code := 'instant_before_history';
		compared_with := instant(began);
	else
		perform set_config('lock_timeout', '2000ms', true);
		perform pg_advisory_xact_lock(4242, 3);
	end if;
end $$;

drop schema if exists as_known cascade;
create schema as_known;

-- What there was of a kind: each row's state at the instant.
create view as_known.state as
	select h.kind, h.id, h.provider_id, h.running_of, h.was
	from state_history h join moment m using (moment)
	where not h.gone and m.at <= (select known_at())
		and not exists (select from state_history l join moment lm using (moment)
			where l.kind = h.kind and l.id = h.id and lm.at > m.at and lm.at <= (select known_at()));

create view as_known.import_applied as
	select h.id as import_id from state_history h join moment m using (moment) where h.kind = 'import' and m.at <= (select known_at());

-- A view of a table's columns, as they are in `row`, a FROM item over as_known.state s; `own` says which of them are to be read from
-- the state's keys, so that rows are found by them.
create or replace function known_view(p_table text, p_row text, own jsonb) returns void language plpgsql as $$
begin
	execute format('create view as_known.%1$I as select %2$s from as_known.state s %3$s where s.kind = %1$L', p_table,
		(select string_agg(format('%s as %I', coalesce(own->>attname, format('r.%I', attname)), attname), ', ' order by attnum)
			from pg_attribute where attrelid = p_table::regclass and attnum > 0 and not attisdropped), p_row);
end $$;

do $$ begin
	perform known_view('waiver', 'cross join lateral jsonb_populate_record(null::waiver, s.was) r',
		'{"waiver_id": "s.id", "provider_id": "s.provider_id"}');
	-- The balance, from the ledger's entries that were recorded by then.
	perform known_view('provider', $v$
		left join lateral (select e.balance_fen, e.held_fen, e.seq from ledger_entry e
			where e.provider_id = s.id and e.recorded_at <= (select known_at()) order by e.seq desc limit 1) e on true
		cross join lateral jsonb_populate_record(null::provider, s.was || jsonb_build_object('balance_fen', coalesce(e.balance_fen, 0),
			'held_fen', coalesce(e.held_fen, 0), 'ledger_seq', coalesce(e.seq, 0))) r$v$, '{"provider_id": "s.id"}');
	-- One that ran has no progress until it is computed from the facts of then (known_progress()).
	perform known_view('period', $v$
		cross join lateral (select jsonb_populate_record(null::period, s.was
			|| case when s.running_of is null then '{}'
				else '{"progress": null, "gaps": null, "forecast": null, "missing_bps": null, "far_off": null, "facts_version": 1,
					"progress_version": 0}' end::jsonb
			|| coalesce(nullif(current_setting('assay.known_progress', true), '')::jsonb->s.id, '{}')) as p) x
		cross join lateral jsonb_populate_record(x.p, jsonb_build_object('body', period_body(x.p))) r$v$,
		'{"period_id": "s.id", "provider_id": "s.provider_id", "running_of": "s.running_of"}');
end $$;

-- What is computed of a running period is kept with the session, not with the period.
create or replace function known_progress() returns trigger language plpgsql as $$
begin
	perform set_config('assay.known_progress', jsonb_build_object(new.period_id, to_jsonb(new) - 'body')::text, false);
	return new;
end $$;
create trigger progress instead of update on as_known.period for each row execute function known_progress();

-- A sandbox's day by its clock then, else the civil day in Shanghai.
create view as_known.clock as
	select true as one, s.was->>'mode' as mode,
		coalesce((s.was->>'today')::date, ((select known_at()) at time zone 'Asia/Shanghai')::date) as today
	from as_known.state s where s.kind = 'clock';

create view as_known.policy as
	select p.* from policy p where p.status = 'published' and exists (select from as_known.state s
		where s.kind = 'policy' and s.id = policy_ref(p.policy_id, p.version));

create view as_known.watermark as
	select true as one, (select max(day) from watermark_history where import_id in (select import_id from as_known.import_applied)) as day;

-- Facts: what an import had brought by then, unless another had replaced it.
create view as_known.store_version as
	select v.* from store_version v where v.import_id in (select import_id from as_known.import_applied)
	union all
	select h.store_id, h.valid_from, h.name, h.registered_region, h.ship_from_regions, h.industry, h.category, h.status, h.import_id,
		h.recorded_at
	from store_version_history h where h.import_id in (select import_id from as_known.import_applied)
		and not exists (select from as_known.import_applied i where i.import_id = h.replaced_by);

create view as_known.binding as
	select b.* from binding b where b.import_id in (select import_id from as_known.import_applied)
	union all
	select h.provider_id, h.store_id, h.bound_on, h.unbound_on, h.import_id, h.recorded_at
	from binding_history h where h.import_id in (select import_id from as_known.import_applied)
		and not exists (select from as_known.import_applied i where i.import_id = h.replaced_by);

create view as_known.exam_pass as
	select e.* from exam_pass e where e.import_id in (select import_id from as_known.import_applied);

create view as_known.import_ref as
	select r.* from import_ref r where r.import_id in (select import_id from as_known.import_applied);

create view as_known.store_day as
	select d.* from store_day d where d.import_seq in (select seq from as_known.import_ref)
	union all
	select h.store_id, h.day, h.orders, h.gmv_fen, h.import_seq
	from store_day_history h where h.import_seq in (select seq from as_known.import_ref)
		and not exists (select from as_known.import_ref r where r.seq = h.replaced_by);

-- The roll-up has no history: from the days. What it keeps beside the sums is left out, as where it was not kept.
do $$ begin
	execute format('create view as_known.store_month as select %s from (
			select store_id, date_trunc(''month'', day)::date as month, sum(orders)::bigint as orders, sum(gmv_fen)::bigint as gmv_fen
			from as_known.store_day group by store_id, date_trunc(''month'', day)::date) m',
		(select string_agg(case when attname in ('store_id', 'month', 'orders', 'gmv_fen') then format('m.%I', attname)
			else format('null::%s as %I', format_type(atttypid, atttypmod), attname) end, ', ' order by attnum)
			from pg_attribute where attrelid = 'store_month'::regclass and attnum > 0 and not attisdropped));
end $$;
