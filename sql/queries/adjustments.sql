-- Who gives way when less is left than was promised.

-- :name adjustments_reservations
-- The newest active reservations that together hold $3 units of the rows ($1 locations, $2 skus), unlocked, with the keys of
-- all their lines: these never change.
select chosen.id, line.location, line.sku
  from (select distinct held.id
          from unnest($1::text[], $2::text[], $3::bigint[]) as short (location, sku, units)
         cross join lateral (select r.id, sum(l.quantity) over (order by r.created_at desc, r.id desc
                                                                rows between unbounded preceding and 1 preceding) as newer
                               from reservation_lines l
                              cross join lateral (select * from reservations
                                                   where reservations.id = l.reservation_id) as r
                              where l.location = short.location collate "C" and l.sku = short.sku collate "C" and l.held
                                and l.expires_at > statement_timestamp() and r.status = 'active') as held
         where coalesce(held.newer, 0) < short.units) as chosen
 cross join lateral (select l.location, l.sku from reservation_lines l where l.reservation_id = chosen.id) as line

-- :name adjustments_held
-- Units held by reservations on the rows ($1 locations, $2 skus), which the caller has locked.
select wanted.location, wanted.sku,
       (select coalesce(sum(l.quantity), 0)::bigint
          from reservation_lines l
         where l.location = wanted.location collate "C" and l.sku = wanted.sku collate "C" and l.held)
  from unnest($1::text[], $2::text[]) as wanted (location, sku)
