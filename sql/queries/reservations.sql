-- Reservations: units held for a limited time.

-- :name reservations_read of reservations
-- $1 ids.
select r.id, r.location, r.channel, r.reference, r.reason, r.actor, r.status, r.order_id, r.expires_at, r.created_at,
       r.updated_at, r.version
  from reservations r
 where r.id = any($1::uuid[])
 order by r.id

-- :name reservations_lock of reservations
-- :use reservations_read
   for update

-- :name reservations_lock_stock of stock
-- The stock rows of the lines of $1, in the common lock order.
select s.location, s.sku, s.on_hand, s.unsellable, s.reserved, s.safety_stock, s.movements, true as exists,
       true as location_known, true as sku_known
  from (select distinct l.location, l.sku
          from reservation_lines l
         where l.reservation_id = any($1::uuid[])
         order by l.location, l.sku) as wanted
 cross join lateral (select * from stock
                      where stock.location = wanted.location and stock.sku = wanted.sku
                        for update) as s
 order by s.location, s.sku

-- :name reservation_lines_read of reservation_lines
-- After the lock of their stock rows: only under that lock do they not change.
select l.reservation_id, l.location, l.sku, l.quantity, l.held
  from reservation_lines l
 where l.reservation_id = any($1::uuid[])
 order by l.reservation_id, l.line

-- :name reservations_insert of reservations
insert into reservations (id, location, channel, reference, status, expires_at, actor, created_at, updated_at)
select id, location, channel, reference, 'active', expires_at, actor, created_at, created_at
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::timestamptz[])
       as reservation (id, location, channel, reference, expires_at, actor, created_at)

-- :name reservation_lines_insert of reservation_lines
insert into reservation_lines (reservation_id, line, location, sku, quantity, held, expires_at)
select reservation_id, line, location, sku, quantity, true, expires_at
  from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
       as line (reservation_id, line, location, sku, quantity, expires_at)

-- :name reservations_update of reservations
update reservations r
   set status = changed.status, reason = changed.reason, order_id = changed.order_id, expires_at = changed.expires_at,
       version = changed.version, updated_at = changed.updated_at
  from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[], $6::bigint[], $7::timestamptz[])
       as changed (id, status, reason, order_id, expires_at, version, updated_at)
 where r.id = changed.id

-- :name reservation_lines_update of reservation_lines
update reservation_lines l
   set held = changed.held, expires_at = changed.expires_at
  from unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::timestamptz[])
       as changed (reservation_id, line, held, expires_at)
 where l.reservation_id = changed.reservation_id and l.line = changed.line

-- :name reservations_free_lapsed of reservation_lines
-- The caller holds the lock of the stock rows ($1 locations, $2 skus), which suffices to free lapsed lines on them.
update reservation_lines l
   set held = false
  from unnest($1::text[], $2::text[]) as row (location, sku)
 where l.location = row.location collate "C" and l.sku = row.sku collate "C" and l.held
   and l.expires_at <= statement_timestamp()
returning l.location, l.sku, l.quantity

-- :name reservations_lock_lapsed of reservations
-- Expired reservations, for the sweeper, except those that a transaction has locked. $1 at most.
with lapsed as materialized (
        select *
          from reservations
         where status = 'active' and expires_at <= statement_timestamp()
         order by expires_at
         limit $1::bigint
           for update skip locked
)
select r.id, r.location, r.channel, r.reference, r.reason, r.actor, r.status, r.order_id, r.expires_at, r.created_at,
       r.updated_at, r.version
  from lapsed r
 order by r.id
