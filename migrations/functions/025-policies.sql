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

-- The policy that a provider of an industry applies under today: in force, else the earliest that will be. Null: none.
create or replace function policy_for_industry(p_industry text, today date) returns text language sql stable as $$
	select policy_ref(policy_id, version) from policy
	where industry = p_industry and status = 'published'
	order by effective_from > today, abs(effective_from - today), policy_id limit 1
$$;

-- What a policy says to a member of its admission, as text; null: unset.
create or replace function policy_admission(p policy, field text) returns text language sql immutable as $$
	select p.document::json #>> array['admission', field]
$$;

create or replace function policy_months(p policy, p_stage text) returns integer language sql immutable as $$
	select (p.document::json #>> array[p_stage, 'months'])::integer
$$;

-- The version that sets a period's length: in force on its first day, else the application's own.
create or replace function period_first_policy(p_policy_id text, application_version text, start_day date) returns policy
language sql stable as $$
	select p from policy p
	where policy_id = p_policy_id and version = coalesce(policy_version_on(p_policy_id, start_day), application_version)
$$;

create or replace function period_last_day(p_policy_id text, application_version text, p_stage text, start_day date) returns date
language sql stable as $$
	select (start_day + make_interval(months =>
		policy_months(period_first_policy(p_policy_id, application_version, start_day), p_stage)))::date - 1
$$;

-- What judges a period of a provider admitted under policy_id@application_version, as 'id@version'.
-- Trial: the version in force on the first day and every one that takes effect later within it: meeting any suffices
-- (preamble). Regular: the version in force on the first day. None of these: the application's own. A version whose periods
-- have another length cannot judge this one.
create or replace function period_policies(p_policy_id text, application_version text, p_stage text, start_day date, end_day date)
returns text[] language sql stable as $$
	select coalesce(nullif(array(
		select policy_ref(p.policy_id, p.version) from policy p
		where p.policy_id = p_policy_id and p.status = 'published'
			and (p.version = policy_version_on(p_policy_id, start_day)
				or (p_stage = 'trial' and p.effective_from > start_day and p.effective_from <= end_day))
			and policy_months(p, p_stage) = policy_months(period_first_policy(p_policy_id, application_version, start_day), p_stage)
		order by p.effective_from), '{}'), array[policy_ref(p_policy_id, application_version)])
$$;

-- A cool-down of the newest policy that judged a period.
create or replace function policy_admission_days(policies text[], field text) returns integer language sql stable as $$
	select policy_admission(policy_of(policies[cardinality(policies)]), field)::integer
$$;

create or replace function policy_summary(p policy) returns text language sql stable as $$
	select row_to_json(x)::text from (select
		policy_ref(p.policy_id, p.version) as policy, p.policy_id, p.version, p.status, p.effective_from, p.industry, p.example,
		p.created_by, instant(p.created_at) as created_at, instant(p.updated_at) as updated_at, p.published_by,
		instant(p.published_at) as published_at) x
$$;
