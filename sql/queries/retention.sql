-- Pruning by age (docs/retention.md), a small batch at a time; several may prune at once. $1 the age limit, $2 the number of
-- rows at most, $3 whether to delete or only to count. Each statement returns the number, and the last id if ids give the age.

-- :name prune_idempotency
with batch as materialized (
        select id from idempotency where created_at < $1::timestamptz order by created_at limit $2::bigint for update skip locked
), gone as (
        delete from idempotency where $3::boolean and id = any(array(select id from batch))
)
select count(*), null::uuid from batch

-- :name prune_event_log free
-- Whole partitions of the log, $2 at most, whose last event is older.
select event_log_prune($1::timestamptz, $2::bigint, $3::boolean), null::uuid

-- :name prune_events free
-- Ids after $4 and before $5. Events of an open order stay, and events that wait to be published. Sub-selects, because a join would
-- read all orders for each batch.
with batch as materialized (
        select e.id from events e
         where e.id > $4::uuid and e.id < $5::uuid and e.occurred_at < $1::timestamptz
           and (select o.open_for is not null from orders o where o.id = e.order_id) is not true
           and (select true from events_due d where e.id = any(d.ids) limit 1) is null
         order by e.id limit $2::bigint for update skip locked
), gone as (
        delete from events where $3::boolean and id = any(array(select id from batch))
)
select count(*), (select id from batch order by id desc limit 1) from batch

-- :name prune_reservations free
-- Ended reservations, with their lines. Ids after $4 and before $5.
with batch as materialized (
        select id from reservations
         where id > $4::uuid and id < $5::uuid and status in ('claimed', 'released', 'expired') and updated_at < $1::timestamptz
         order by id limit $2::bigint for update skip locked
), lines_gone as (
        delete from reservation_lines where $3::boolean and reservation_id = any(array(select id from batch))
), gone as (
        delete from reservations where $3::boolean and id = any(array(select id from batch))
)
select count(*), (select id from batch order by id desc limit 1) from batch

-- :name prune_webhook_failures
-- Deliveries that were given up.
with batch as materialized (
        select webhook_id, position from webhook_failures
         where died_at < $1::timestamptz order by died_at limit $2::bigint for update skip locked
), gone as (
        delete from webhook_failures f using batch
         where $3::boolean and f.webhook_id = batch.webhook_id and f.position = batch.position
)
select count(*), null::uuid from batch

-- :name prune_webhook_attempts
-- Single deliveries.
with batch as materialized (
        select webhook_id, at, event_id from webhook_attempts
         where at < $1::timestamptz order by at limit $2::bigint for update skip locked
), gone as (
        delete from webhook_attempts a using batch
         where $3::boolean and a.webhook_id = batch.webhook_id and a.at = batch.at and a.event_id = batch.event_id
)
select count(*), null::uuid from batch

-- :name prune_slots free
-- Past slots without taken places.
with batch as materialized (
        select location, starts_at from slots
         where starts_at < $1::timestamptz and booked = 0 limit $2::bigint for update skip locked
), gone as (
        delete from slots s using batch
         where $3::boolean and s.location = batch.location and s.starts_at = batch.starts_at and s.booked = 0
)
select count(*), null::uuid from batch

-- :name prune_notifications
-- Messages to customers; those that wait are younger.
with batch as materialized (
        select id from notifications where created_at < $1::timestamptz order by created_at limit $2::bigint for update skip locked
), gone as (
        delete from notifications where $3::boolean and id = any(array(select id from batch))
)
select count(*), null::uuid from batch
