-- A primary that has another timeline than its mark says has taken over: it gets a mark of its own. Any instance may say so, once.
create or replace function primary_line_mark() returns void language plpgsql as $$
declare
	line primary_line;
	now_on integer := ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::integer;
begin
	select * into strict line from primary_line for update;
	if line.timeline is distinct from now_on then
		update primary_line set timeline = now_on, mark = gen_random_uuid(), since = clock_timestamp();
		perform audit_add(closing_ctx(null), 'primary.changed', 'primary', jsonb_build_object('timeline', line.timeline),
			jsonb_build_object('timeline', now_on));
	end if;
end $$;
