-- Places in pickup slots. Slots are named by location and beginning, and locked in that order, after all stock rows.

-- :name slots_open of slots
-- New rows for slots without one. $1 locations, $2 beginnings; so below.
insert into slots (location, starts_at)
select location collate "C", starts_at
  from unnest($1::text[], $2::timestamptz[]) as wanted (location, starts_at)
 order by location collate "C", starts_at
    on conflict (location, starts_at) do nothing

-- :name slots_lock of slots
select s.location, s.starts_at, s.booked
  from (select location collate "C" as location, starts_at
          from unnest($1::text[], $2::timestamptz[]) as named (location, starts_at)
         order by 1, 2) as wanted
 cross join lateral (select * from slots
                      where slots.location = wanted.location and slots.starts_at = wanted.starts_at
                        for update) as s

-- :name slots_update of slots
-- $3 booked. Under their locks.
update slots s
   set booked = changed.booked
  from unnest($1::text[], $2::timestamptz[], $3::bigint[]) as changed (location, starts_at, booked)
 where s.location = changed.location collate "C" and s.starts_at = changed.starts_at

-- :name slots_close of slots
-- Slots without taken places. Under their locks.
delete from slots s
 using unnest($1::text[], $2::timestamptz[]) as unused (location, starts_at)
 where s.location = unused.location collate "C" and s.starts_at = unused.starts_at and s.booked = 0

-- :name slots_give_back of slots
-- A place for each time a slot is named. Takes the locks in their order.
update slots s
   set booked = s.booked - given.places
  from (select location collate "C" as location, starts_at, count(*) as places
          from unnest($1::text[], $2::timestamptz[]) as named (location, starts_at)
         group by 1, 2
         order by 1, 2) as given
 where s.location = given.location and s.starts_at = given.starts_at

-- :name slots_booked of slots
-- The number of taken places at the location $1 in slots that begin from $2 (null: now) on, before $3 (null: $4 seconds later).
select s.starts_at, s.booked
  from slots s
 where s.location = $1::text collate "C" and s.starts_at >= coalesce($2::timestamptz, statement_timestamp())
   and s.starts_at < coalesce($3::timestamptz, coalesce($2::timestamptz, statement_timestamp()) + make_interval(secs => $4::bigint))
 order by s.starts_at
