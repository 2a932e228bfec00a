-- A new order is in one index of places instead of two: its last change is its placing, so one index serves lists by either time. Orders
-- that changed are in a second one. Older programs do not ask for both halves, so they must stop.

drop index order_places_by_age;
drop index order_places_by_change;
alter table order_places add column is_changed boolean not null generated always as (updated_at <> placed_at) stored;
create index order_places_by_age on order_places (location, channel, status, is_changed, placed_at, order_id);
create index order_places_by_change on order_places (location, channel, status, updated_at, order_id) where is_changed;
