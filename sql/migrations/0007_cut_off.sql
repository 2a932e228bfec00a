-- When orders of the day end at a location: minutes since local midnight; null: never.
alter table locations add column cut_off bigint check (cut_off between 0 and 1439);
