-- More than one machine.

-- Which primary this is: a mark that is made anew whenever a server with another timeline has taken over, so that a replica which was
-- left behind is told from one that follows (server/replica.c).
create table primary_line (
	one boolean primary key default true check (one),
	timeline integer, -- null: not looked at yet
	mark uuid not null default gen_random_uuid(),
	since timestamptz not null default clock_timestamp()
);
insert into primary_line default values;

-- The months of store_day that were put away: each is a table of its own from then on, and nothing more comes in for its days
-- (functions/125-partitions.sql).
create table store_day_detached (
	month date primary key check (extract(day from month) = 1),
	table_name text not null unique,
	n bigint not null, -- rows
	detached_at timestamptz not null default clock_timestamp()
);
