-- Policies: which version judges what.

create or replace function policy_ref(policy_id text, version text) returns text language sql immutable as $$
	select policy_id || '@' || version
$$;

-- The published policy of an 'id@version', or null.
create or replace function policy_of(ref text) returns policy language sql stable as $$
	select p from policy p
	where p.policy_id = split_part(ref, '@', 1) and p.version = substr(ref, position('@' in ref) + 1) and p.status = 'published'
$$;

-- The version of a policy in force on a day, or null.
create or replace function policy_version_on(p_policy_id text, on_day date) returns text language sql stable as $$
	select version from policy
	where policy_id = p_policy_id and status = 'published' and effective_from <= on_day
	order by effective_from desc limit 1
$$;

-- What judges a period of a provider admitted under policy_id@application_version.
-- Trial: the version in force on the first day and every one that takes effect later within it: meeting any suffices
-- (preamble). Regular: the version in force on the first day. None of these: the application's own.
create or replace function period_policies(p_policy_id text, application_version text, p_stage text, start_day date, end_day date)
returns text[] language sql stable as $$
	select coalesce(nullif(array(
		select policy_ref(policy_id, version) from policy
		where policy_id = p_policy_id and status = 'published'
			and (version = policy_version_on(p_policy_id, start_day)
				or (p_stage = 'trial' and effective_from > start_day and effective_from <= end_day))
		order by effective_from), '{}'), array[policy_ref(p_policy_id, application_version)])
$$;

-- The last day of a period that begins on start_day: whole months, as many as the version in force then says (else the
-- application's).
create or replace function period_end(p_policy_id text, application_version text, p_stage text, start_day date) returns date
language sql stable as $$
	select (start_day + make_interval(months => (document::json #>> array[p_stage, 'months'])::integer))::date - 1
	from policy
	where policy_id = p_policy_id and version = coalesce(policy_version_on(p_policy_id, start_day), application_version)
$$;

-- A cool-down of the newest policy that judged a period.
create or replace function policy_admission_days(policies text[], field text) returns integer language sql stable as $$
	select ((policy_of(policies[cardinality(policies)])).document::json #>> array['admission', field])::integer
$$;
