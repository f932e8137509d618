-- The audit log: what an entry's hash is of, the chain that seals the entries in one order, and what finds that either was
-- tampered with. See docs/operations.md.

create or replace function audit_name(id bigint) returns text language sql immutable as $$
	select 'aud_' || case when id between 0 and 281474976710655 then lpad(to_hex(id), 12, '0') else to_hex(id) end
$$;

-- What an entry's hash is of: a JSON array, written as PostgreSQL writes jsonb (", " and ": " between what it lists), so that
-- whoever has the entry as GET /v1/audit answers it can compute the hash again.
create or replace function audit_content(a audit) returns text language sql stable as $$
	select '["' || audit_name(a.audit_id) || '", "' || to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
		|| '", ' || to_json(a.request_id) || ', ' || to_json(a.actor_id) || ', ' || to_json(a.actor_name) || ', ' || to_json(a.action)
		|| ', ' || to_json(a.subject) || ', ' || coalesce(to_json(a.provider_id)::text, 'null') || ', ' || coalesce(a.before::text, 'null')
		|| ', ' || coalesce(a.after::text, 'null') || ']'
$$;

create or replace function audit_sha256(a audit) returns bytea language sql stable as $$
	select sha256(convert_to(audit_content(a), 'UTF8'))
$$;

-- Personal data as the log keeps it: a keyed hash, equal for equal values, that says nothing else about them.
create or replace function audit_hidden(value text) returns text language sql stable as $$
	select 'hidden:' || left(encode(sha256(substr(key, 33) || sha256(substr(key, 1, 32) || convert_to(value, 'UTF8'))), 'hex'), 32)
	from audit_secret where value is not null
$$;

-- The same for each member of an object whose values are text; null of null.
create or replace function audit_hidden(members jsonb) returns jsonb language sql stable as $$
	select jsonb_object_agg(key, audit_hidden(value)) from jsonb_each_text(members)
$$;

create or replace function audit_body(a audit) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		audit_name(a.audit_id) as audit_id, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, a.request_id,
		a.actor_id, a.actor_name, a.action, a.subject, a.provider_id, a.before, a.after, encode(audit_sha256(a), 'hex') as sha256,
		(select row_to_json(l) from (select position, encode(sha256, 'hex') as sha256 from audit_chain where audit_id = a.audit_id) l)
			as sealed) x
$$;

-- The first id that an entry of that instant or later has. Ids follow the clock, but for moments: those who ask look a little
-- further and at `at` itself.
create or replace function audit_id_at(t timestamptz) returns bigint language plpgsql stable as $$
declare
	lo bigint := coalesce((select min(audit_id) from audit), 1);
	hi bigint := coalesce((select max(audit_id) from audit), 0) + 1;
	middle bigint;
begin
	while lo < hi loop
		middle := lo + (hi - lo) / 2;
		if coalesce((select at < t from audit where audit_id >= middle order by audit_id limit 1), false) then
			lo := middle + 1;
		else
			hi := middle;
		end if;
	end loop;
	return lo;
end $$;

-- A page, newest first. Only the filters that are given are in the statement, so that each mix is planned for itself.
-- [p_from, p_to) are instants.
create or replace function audit_list(after text, n integer, p_subject text, p_provider_id text, p_actor_id text, p_action text,
	p_from timestamptz, p_to timestamptz) returns table (cursor text, body text) language plpgsql stable as $$
declare
	slack constant interval := interval '10 minutes';
begin
	return query execute 'select a.audit_id::text, audit_body(a) from audit a where true'
		|| case when after is not null then ' and audit_id < $1::bigint' else '' end
		|| case when p_subject is not null then ' and subject = $2' else '' end
		|| case when p_provider_id is not null then ' and provider_id = $3' else '' end
		|| case when p_actor_id = 'system' then ' and actor_id = $4'
			when p_actor_id is not null then ' and actor_id = $4 and actor_id <> ''system''' else '' end
		|| case when p_action is not null then ' and action = $5' else '' end
		|| case when p_from is not null then ' and audit_id >= audit_id_at($6 - $9) and at >= $6' else '' end
		|| case when p_to is not null then ' and audit_id < audit_id_at($7 + $9) and at < $7' else '' end
		|| ' order by a.audit_id desc limit $8'
		using after, p_subject, p_provider_id, p_actor_id, p_action, p_from, p_to, n, slack;
end $$;

-- ---- sealing ----

create or replace function audit_link(head bytea, first bytea, entry_sha256 bytea) returns bytea language plpgsql immutable as $$
begin
	return sha256(coalesce(head, first) || entry_sha256);
end $$;
create or replace aggregate audit_links(bytea, bytea) (sfunc = audit_link, stype = bytea);

-- What `now` sees as over, of the transactions before `until` (null: of all).
create or replace function audit_snapshot(now pg_snapshot, until xid8) returns pg_snapshot language sql immutable as $$
	select case when until is null or until >= pg_snapshot_xmax(now) then now
		else format('%s:%s:%s', least(pg_snapshot_xmin(now), until), until,
			(select string_agg(x::text, ',' order by x) from pg_snapshot_xip(now) x where x < until))::pg_snapshot end
$$;

create or replace function audit_ids_taken() returns bigint language sql volatile as $$
	select case when is_called then last_value else last_value - 1 end from audit_audit_id_seq
$$;

do $$ begin
	create type audit_sealed as (sealed bigint, more boolean, "position" bigint, sha256 bytea);
exception when duplicate_object then null; end $$;

-- Appends what was committed since the last time to the chain: the entries of transactions that are over now and were not then,
-- whoever else is still at work, so that writing never waits for sealing, nor sealing for a long transaction. About `most` of
-- them; `more`: there are others. Null: somebody else is at it (only without `wait`). A transaction of its own: what is not
-- committed is not sealed, and a crash leaves nothing half done.
--
-- An id is taken after the transaction's number was. So an entry of a later transaction than the one that sealed last, with an id
-- that was taken before that one began, was not written by this service, and is left out: audit_check_entries() names it.
create or replace function audit_seal_more(most integer, wait boolean) returns audit_sealed language plpgsql
set enable_seqscan = off as $$ -- a plan that knows nothing of the numbers would read all of the log each time
declare
	s audit_seal;
	r audit_sealed;
	ids_taken bigint := audit_ids_taken(); -- before this transaction has its number
	until xid8;
	now_over pg_snapshot;
begin
	if wait then
		select * into strict s from audit_seal for update;
	else
		select * into s from audit_seal for update skip locked;
		if not found then return null; end if;
	end if;
	select txid into until from audit where era = s.era and txid >= pg_snapshot_xmax(s.snapshot) order by txid offset most limit 1;
	if until = (select min(txid) from audit where era = s.era and txid >= pg_snapshot_xmax(s.snapshot)) then
		select min(txid) into until from audit where era = s.era and txid > until; -- one that wrote more than that, as a whole
	end if;
	with fresh as materialized (
		select e.* from pg_snapshot_xip(s.snapshot) was_running
		cross join lateral (select audit_id, audit_sha256(audit) as entry_sha256 from audit where era = s.era and txid = was_running offset 0) e
		union all
		select audit_id, audit_sha256(audit) from audit
		where era = s.era and txid >= pg_snapshot_xmax(s.snapshot) and (until is null or txid < until)
			and (audit_id > s.last_id or txid < s.last_txid)),
	linked as (
		insert into audit_chain
		select s.position + row_number() over w, audit_id, entry_sha256, audit_links(s.sha256, entry_sha256) over w
		from fresh window w as (order by audit_id)
		returning *)
	select count(*), until is not null, max(linked.position), (select l.sha256 from linked l order by l.position desc limit 1),
		pg_current_snapshot()
	into r.sealed, r.more, r.position, r.sha256, now_over from linked;
	r.position := coalesce(r.position, s.position);
	r.sha256 := coalesce(r.sha256, s.sha256);
	if r.sealed > 0 or r.more then
		update audit_seal set position = r.position, sha256 = r.sha256, sealed_at = clock_timestamp(),
			snapshot = audit_snapshot(now_over, until);
	end if;
	if r.sealed > 0 and not r.more then
		update audit_seal set last_txid = pg_current_xact_id(), last_id = ids_taken;
	end if;
	return r;
end $$;

-- To be called once the schema is up to date. In another cluster than the last time (a dump was restored) transactions are
-- numbered anew: everything that is there is sealed, and what comes is told apart by its era.
create or replace function audit_adopt() returns void language plpgsql as $$
declare
	s audit_seal;
	here bigint := (select system_identifier from pg_control_system());
begin
	select * into strict s from audit_seal for update;
	if s.cluster = here then return; end if;
	update audit_seal set cluster = here;
	if s.cluster is null then return; end if;
	execute format('alter table audit alter column era set default %s', s.era + 1); -- whose lock also waits for what is being written
	with left_over as materialized (
		select audit_id, audit_sha256(a) as entry_sha256 from audit a where not exists (select from audit_chain c where c.audit_id = a.audit_id)),
	linked as (
		insert into audit_chain
		select s.position + row_number() over w, audit_id, entry_sha256, audit_links(s.sha256, entry_sha256) over w
		from left_over window w as (order by audit_id) returning *)
	update audit_seal set position = coalesce((select max(position) from linked), s.position),
		sha256 = coalesce((select l.sha256 from linked l order by l.position desc limit 1), s.sha256), sealed_at = clock_timestamp(),
		era = s.era + 1, snapshot = pg_current_snapshot(), last_txid = pg_current_xact_id(), last_id = audit_ids_taken();
end $$;

-- After every start's look at the schema; `changed`: something of it was applied.
create or replace function schema_settled(changed boolean) returns void language plpgsql as $$
begin
	perform audit_adopt();
	if changed then
		perform audit_add('{"request_id": "command-line", "key_id": "system", "key_name": "migration"}', 'schema.migrated', 'schema', null,
			jsonb_build_object('version', (select max(version) from schema_migration), 'functions', (select sha256 from schema_functions)));
	end if;
end $$;

-- ---- looking for tampering, a piece at a time: each answers how much it looked at and where it came to, and a row a problem ----

-- Links after a position whose hash is known, up to `until`.
create or replace function audit_check_links(behind bigint, behind_sha256 bytea, until bigint, most integer)
returns table (looked_at bigint, came_to bigint, came_to_sha256 bytea, code text, "position" bigint, through bigint, audit_id text)
language sql stable set enable_seqscan = off set enable_bitmapscan = off as $$
	with piece as materialized (
		select c.* from audit_chain c
		where c.position > behind and c.position <= until order by c.position limit most),
	link as materialized (
		select p.*, lag(p.position, 1, behind) over w as previous, a.sha256 as found_sha256,
			p.sha256 = sha256(lag(p.sha256, 1, behind_sha256) over w || p.entry_sha256) as linked
		from piece p left join lateral (select audit_sha256(audit) as sha256 from audit where audit.audit_id = p.audit_id offset 0) a on true
		window w as (order by p.position)),
	problem as (
		select 'audit_link_missing' as code, previous + 1 as position, position - 1 as through, null::bigint as audit_id
		from link where position <> previous + 1
		union all
		select case when found_sha256 is null then 'audit_entry_missing' else 'audit_entry_changed' end, position, position, audit_id
		from link where found_sha256 is distinct from entry_sha256
		union all
		select 'audit_link_changed', position, position, null from link where not linked and position = previous + 1)
	select s.n, s.last, (select l.sha256 from link l where l.position = s.last), p.code, p.position, p.through, audit_name(p.audit_id)
	from (select count(*) as n, max(position) as last from link) s left join problem p on true
	order by p.position, p.code desc
$$;

-- Entries after an id: each is in the chain, or was committed after the last sealing.
create or replace function audit_check_entries(behind bigint, most integer)
returns table (looked_at bigint, came_to bigint, waiting bigint, audit_id text) language sql stable set enable_seqscan = off set enable_bitmapscan = off as $$
	with piece as materialized (
		select a.audit_id, a.era, a.txid from audit a where a.audit_id > behind order by a.audit_id limit most),
	entry as materialized (
		select p.audit_id, l.position between 1 and s.position as sealed,
			p.era = s.era and p.txid < pg_snapshot_xmax(pg_current_snapshot()) and not pg_visible_in_snapshot(p.txid, s.snapshot)
				and (p.audit_id > s.last_id or p.txid < s.last_txid) as waits
		from piece p cross join audit_seal s
		left join lateral (select position from audit_chain c where c.audit_id = p.audit_id offset 0) l on true)
	select s.n, s.last, s.waiting, audit_name(e.audit_id)
	from (select count(*) as n, max(entry.audit_id) as last, count(*) filter (where sealed is not true and waits) as waiting from entry) s
	left join entry e on e.sealed is not true and not e.waits
	order by e.audit_id
$$;
