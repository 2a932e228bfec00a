-- Stock rows and their ledger.

-- :part wanted_stock
select wanted.location, wanted.sku, s.on_hand, s.unsellable, s.reserved, s.safety_stock, {last},
       s.sku is not null as exists,
       s.sku is null and (select true from locations l where l.code = wanted.location collate "C") is true as location_known,
       s.sku is null and (select true from products p where p.sku = wanted.sku collate "C") is true as sku_known
  from unnest($1::text[], $2::text[]) as wanted (location, sku)
  left join lateral (select * from stock
                      where stock.location = wanted.location collate "C" and stock.sku = wanted.sku collate "C"{lock}) as s on true

-- :name stock_lock of stock
-- Lock the named rows in the common lock order. $1 locations, $2 skus (same length, sorted, no duplicates). A missing row
-- is returned empty, with the known members of its location and SKU.
-- :use wanted_stock last="s.movements" lock=" for update"

-- :name stock_save of stock
update stock s
   set on_hand = changed.on_hand, unsellable = changed.unsellable, reserved = changed.reserved,
       movements = changed.movements
  from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
       as changed (location, sku, on_hand, unsellable, reserved, movements)
 where s.location = changed.location collate "C" and s.sku = changed.sku collate "C"

-- :name stock_insert of stock
-- A rival that inserts the same row first is a unique violation: the batch runs again and finds it.
insert into stock (location, sku, on_hand, unsellable, reserved, movements)
select location, sku, on_hand, unsellable, reserved, movements
  from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
       as added (location, sku, on_hand, unsellable, reserved, movements)

-- :name ledger_save of ledger
insert into ledger (location, sku, number, reason, on_hand_change, unsellable_change, on_hand_after, unsellable_after,
                    document, reference, actor, recorded_at)
select location, sku, number, reason, on_hand_change, unsellable_change, on_hand_after, unsellable_after,
       document, reference, actor, recorded_at
  from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::text[], $10::text[], $11::text[], $12::timestamptz[])
       as movement (location, sku, number, reason, on_hand_change, unsellable_change, on_hand_after, unsellable_after,
                    document, reference, actor, recorded_at)

-- :name stock_by_sku of shelves
-- All rows of the products $1, with the places of their locations. A product without a row is returned once, empty. No locks.
select s.location, p.sku, s.on_hand, s.unsellable, s.reserved, s.safety_stock, s.location is not null as exists, l.latitude,
       l.longitude
  from products p
  left join stock s on s.sku = p.sku
  left join locations l on l.code = s.location
 where p.sku = any($1::text[])
 order by p.sku, s.location

-- :name stock_by_key of shelves
-- The existing rows of $1 locations and $2 skus (same length, sorted by sku and location). No locks.
select s.location, s.sku, s.on_hand, s.unsellable, s.reserved, s.safety_stock, true as exists
  from unnest($1::text[], $2::text[]) as wanted (location, sku)
 cross join lateral (select * from stock
                      where stock.location = wanted.location collate "C" and stock.sku = wanted.sku collate "C") as s

-- :name stock_page of stock free
-- Stock rows of location $1, by SKU, after $2 (null: from the first), at most $3 rows.
select s.location, s.sku, s.on_hand, s.unsellable, s.reserved, s.safety_stock, true as exists
  from stock s
 where s.location = $1::text and s.sku > coalesce($2::text, '')
 order by s.sku
 limit $3::bigint

-- :name ledger_page of ledger free
-- Movements at location $1 of SKU $2, newest first, before number $3 (null: from the newest), at most $4 rows.
select m.number, m.reason, m.on_hand_change, m.unsellable_change, m.on_hand_after, m.unsellable_after, m.document, m.reference,
       m.actor, m.recorded_at
  from ledger m
 where m.location = $1::text and m.sku = $2::text and ($3::bigint is null or m.number < $3::bigint)
 order by m.number desc
 limit $4::bigint

-- :name safety_stock_lock of stock_settings
-- As stock_lock, with the members that a change of the safety stock needs ($1 locations, $2 skus; sorted, no duplicates).
-- :use wanted_stock last="s.safety_stock_version as version" lock=" for update"

-- :name safety_stock_read of stock_settings
-- The same without a lock.
-- :use wanted_stock last="s.safety_stock_version as version" lock=""

-- :name safety_stock_save of stock_settings
update stock s
   set safety_stock = changed.safety_stock, safety_stock_version = changed.version
  from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) as changed (location, sku, safety_stock, version)
 where s.location = changed.location collate "C" and s.sku = changed.sku collate "C"

-- :name safety_stock_insert of stock_settings
-- A rival that inserts the same row first is a unique violation: the batch runs again and finds it.
insert into stock (location, sku, safety_stock, safety_stock_version)
select location, sku, safety_stock, version
  from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) as added (location, sku, safety_stock, version)
