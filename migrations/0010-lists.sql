-- Every list of a million rows is read in the order of its cursor from an index, with any of its filters.

-- The ways to look into the bodies of names: each letter and each two that follow each other, so that two characters of a Chinese
-- name are enough to find it by (trigrams need three).
create function name_grams(name text) returns text[] language sql immutable as $$
	select array(select distinct substr(lower(name), i, n) from generate_series(1, length(name)) i, generate_series(1, 2) n)
$$;
create index provider_by_name on provider using gin (name_grams(name));
create index provider_by_credit_code on provider ((credit_code::text) text_pattern_ops);
-- How often statuses, industries and regions come together: whether many providers match, and reading them in order finds a page soon,
-- or few, and gathering them first does.
create statistics provider_filters on status, industry, region from provider;

-- Payments are most of a ledger: those are found among all entries.
create index ledger_entry_of_kind on ledger_entry (provider_id, kind, seq) where kind <> 'payment';

create index import_by_kind on import (kind, import_id);
create index import_by_status on import (status, import_id);
create index import_running on import (import_id) where status in ('receiving', 'applying');
create index assessment_run_by_status on assessment_run (status, run_id);
create index assessment_run_result_by_outcome on assessment_run_result (run_id, outcome, period_id);
create index decision_by_outcome on decision (outcome, decision_id);
