-- Lists whose filters may be given or not. Only those that are given are in the statement, so that each mix is planned for itself and
-- read from the index that serves it, from the cursor on. (Where the filter is all that is left out, a statement that names it always
-- does: see the callers' *_LIST.)

create or replace function decision_list(after text, n integer, p_provider_id text, p_period_id text, p_outcome text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select decision_id, decision_summary(d) from decision d where true'
		|| case when after is not null then ' and decision_id < $1' else '' end
		|| case when p_provider_id is not null then ' and provider_id = $3' else '' end
		|| case when p_period_id is not null then ' and period_id = $4' else '' end
		|| case when p_outcome is not null then ' and outcome = $5' else '' end
		|| ' order by decision_id desc limit $2'
		using after, n, p_provider_id, p_period_id, p_outcome;
end $$;

create or replace function import_list(after text, n integer, p_kind text, p_status text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select import_id, import_body(i) from import i where true'
		|| case when after is not null then ' and import_id < $1' else '' end
		|| case when p_kind is not null then ' and kind = $3' else '' end
		|| case when p_status = 'running' then ' and status in (''receiving'', ''applying'')'
			when p_status is not null then ' and status = $4' else '' end
		|| ' order by import_id desc limit $2'
		using after, n, p_kind, p_status;
end $$;

create or replace function run_list(after text, n integer, p_status text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select run_id, run_body(r) from assessment_run r where true'
		|| case when after is not null then ' and run_id < $1' else '' end
		|| case when p_status is not null then ' and status = $3' else '' end
		|| ' order by run_id desc limit $2'
		using after, n, p_status;
end $$;

create or replace function run_result_list(p_run_id text, after text, n integer, p_outcome text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select period_id, run_result_body(x) from assessment_run_result x where run_id = $1'
		|| case when after is not null then ' and period_id > $2' else '' end
		|| case when p_outcome is not null then ' and outcome = $4' else '' end
		|| ' order by period_id limit $3'
		using p_run_id, after, n, p_outcome;
end $$;

create or replace function deposit_entry_list(p_provider_id text, after text, n integer, p_kind text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select seq::text, deposit_entry_body(e) from ledger_entry e where provider_id = $1'
		|| case when after is not null then ' and e.seq < $2' else '' end
		|| case when p_kind = 'payment' then ' and kind = ''payment'''
			when p_kind is not null then ' and kind = $4 and kind <> ''payment''' -- as the index says it
			else '' end
		|| ' and ledger_kind_listed(kind) order by e.seq desc limit $3'
		using p_provider_id, coalesce(substring(after from '^[0-9]{1,18}$')::bigint, 0), n, p_kind;
end $$;

create or replace function simulation_result_list(p_simulation_id text, after text, n integer, p_difference text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select period_id, simulation_result_body(r) from simulation_result r where simulation_id = $1'
		|| case when after is not null then ' and period_id > $2' else '' end
		|| case when p_difference is not null then ' and difference = $4' else '' end
		|| ' order by period_id limit $3'
		using p_simulation_id, after, n, p_difference;
end $$;

create or replace function simulation_list(after text, n integer, p_status text)
returns table (cursor text, body text) language plpgsql stable as $$
begin
	return query execute 'select simulation_id, simulation_body(s) from simulation s where true'
		|| case when after is not null then ' and simulation_id < $1' else '' end
		|| case when p_status is not null then ' and status = $3' else '' end
		|| ' order by simulation_id desc limit $2'
		using after, n, p_status;
end $$;
