-- Pickup slots: when a location lets orders be collected, how many at a time, and how many places of each are taken.

alter table locations add column slots jsonb not null default '[]';

-- A row is made when a slot is first named by an order; its lock decides who gets the last place. `booked` is at every moment the
-- number of fulfillments that name the slot.
create table slots (
        location text collate "C" not null references locations,
        starts_at timestamptz not null,
        booked bigint not null default 0 check (booked >= 0),
        primary key (location, starts_at)
) with (fillfactor = 80);

-- The slot whose place it holds; null: none, or given back.
alter table fulfillments add column slot_at timestamptz;

create index fulfillments_by_slot on fulfillments (location, slot_at) where slot_at is not null;
