-- A decision's document stands alone: it has what it was evaluated from inside, and no evidence beside it any more.
alter table decision alter evidence drop not null; -- null: the document is its own

-- Which imports delivered figures of which month. A row of the roll-up does not say which ones it sums: these are all it can be.
create table store_month_import (
	month date not null check (extract(day from month) = 1),
	seq bigint not null references import_ref,
	primary key (month, seq)
);
insert into store_month_import
	select distinct date_trunc('month', d.day)::date, d.import_seq from store_day d join import_ref r on r.seq = d.import_seq;
