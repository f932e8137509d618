-- What a running period comes to at its present pace, kept beside its progress; and whose pace does not suffice, by how far off they are.
alter table period
	add column forecast text, -- model/rules/forecast.h; from the same evaluation as progress
	add column missing_bps integer check (missing_bps between 0 and 10000), -- what it lacks at this pace; 0: nothing, or it cannot be said yet
	add column far_off text collate "C" generated always as (case when missing_bps > 0 and status in ('open', 'awaiting_data')
		then lpad(missing_bps::text, 5, '0') || '-' || period_id end) stored;
create index period_far_off on period (far_off) where far_off is not null;
update period set progress_version = 0 where status in ('open', 'awaiting_data'); -- to be computed again, with its forecast

alter table assessment_run_result add column missing_store_days bigint check (missing_store_days >= 0); -- of one that awaits data
