-- Promises to cancel if less stock is left than was promised.

-- :name adjustments_reservations
-- The newest active reservations that together hold $3 units of the rows ($1 locations, $2 skus), unlocked, with the keys of
-- all their lines: these never change. "limit 1" keeps the look-up by id apart from the state, which has an index, too.
select chosen.id, line.location, line.sku
  from (select distinct held.id
          from unnest($1::text[], $2::text[], $3::bigint[]) as short (location, sku, units)
         cross join lateral (select r.id, sum(l.quantity) over (order by r.created_at desc, r.id desc
                                                                rows between unbounded preceding and 1 preceding) as newer
                               from reservation_lines l
                              cross join lateral (select * from reservations
                                                   where reservations.id = l.reservation_id limit 1) as r
                              where l.location = short.location collate "C" and l.sku = short.sku collate "C" and l.held
                                and l.expires_at > statement_timestamp() and r.status = 'active') as held
         where coalesce(held.newer, 0) < short.units) as chosen
 cross join lateral (select l.location, l.sku from reservation_lines l where l.reservation_id = chosen.id) as line

-- :name adjustments_orders
-- The orders of the newest allocated units that are not picked yet. Their number is the part of the $3 units that the
-- reservations on the rows ($1 locations, $2 skus) do not cover; unlocked.
select distinct line.order_id
  from unnest($1::text[], $2::text[], $3::bigint[]) as short (location, sku, units)
 cross join lateral (select coalesce(sum(l.quantity), 0) as units
                       from reservation_lines l
                      where l.location = short.location collate "C" and l.sku = short.sku collate "C" and l.held
                        and l.expires_at > statement_timestamp()) as held
 cross join lateral (select l.order_id, sum(l.quantity - l.short - l.cancelled - l.picked)
                                        over (order by f.created_at desc, f.id desc, l.line desc
                                              rows between unbounded preceding and 1 preceding) as newer
                       from fulfillment_lines l
                      cross join lateral (select * from fulfillments where fulfillments.id = l.fulfillment_id) as f
                      where l.location = short.location collate "C" and l.sku = short.sku collate "C" and l.reserved > 0
                        and l.picked < l.quantity - l.short - l.cancelled) as line
 where coalesce(line.newer, 0) < short.units - held.units

-- :name adjustments_held
-- Cancellable units on the rows ($1 locations, $2 skus), which the caller has locked: held by reservations, and
-- allocated to orders but not picked.
select wanted.location, wanted.sku,
       (select coalesce(sum(l.quantity), 0)::bigint
          from reservation_lines l
         where l.location = wanted.location collate "C" and l.sku = wanted.sku collate "C" and l.held),
       (select coalesce(sum(l.quantity - l.short - l.cancelled - l.picked), 0)::bigint
          from fulfillment_lines l
         where l.location = wanted.location collate "C" and l.sku = wanted.sku collate "C" and l.reserved > 0)
  from unnest($1::text[], $2::text[]) as wanted (location, sku)

-- :name adjustments_moved_since
-- Units that moved in and out of rows ($1 locations, $2 skus) since the times $3, in their order. Counts are no movements. The
-- search for the last movement before each time begins at the newest, so older movements cost nothing.
select coalesce(later.units, 0)::bigint
  from unnest($1::text[], $2::text[], $3::timestamptz[]) with ordinality as counted (location, sku, counted_at, place)
  left join lateral (select l.number from ledger l
                      where l.location = counted.location collate "C" and l.sku = counted.sku collate "C"
                        and l.recorded_at <= counted.counted_at
                      order by l.number desc
                      limit 1) as before on true
  left join lateral (select sum(l.on_hand_change) as units from ledger l
                      where l.location = counted.location collate "C" and l.sku = counted.sku collate "C"
                        and l.number > coalesce(before.number, 0) and l.reason <> 'count') as later on true
 order by counted.place

-- :name adjustments_overridden
-- The number of movements between the imported counts with the documents $3 at rows ($1 locations, $2 skus) and the imported
-- counts before them, or the first movement. Counts are no movements.
select coalesce(sum(between_them.movements), 0)::bigint
  from unnest($1::text[], $2::text[], $3::text[]) as figure (location, sku, document)
 cross join lateral (select l.number from ledger l
                      where l.location = figure.location collate "C" and l.sku = figure.sku collate "C"
                        and l.document = figure.document
                      order by l.number desc
                      limit 1) as made
  left join lateral (select l.number from ledger l
                      where l.location = figure.location collate "C" and l.sku = figure.sku collate "C"
                        and l.number < made.number and l.reason = 'count' and l.reference = 'import'
                      order by l.number desc
                      limit 1) as former on true
 cross join lateral (select count(*) as movements from ledger l
                      where l.location = figure.location collate "C" and l.sku = figure.sku collate "C"
                        and l.number > coalesce(former.number, 0) and l.number < made.number and l.reason <> 'count') as between_them
