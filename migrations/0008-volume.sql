-- What a closing of all providers reads, and what a list of a million rows needs.

-- The days of a month in which a binding of the store begins or ends, beside the month's total: what a closing reads day by day lies
-- together, in one row, instead of a page for each night. Null: not kept here, store_day has them.
alter table store_month add column days bytea; -- store_day_packed() of each day that has figures, in no order
