-- Locations that have wanted units.

-- :name sourcing_shelves of sourcing_shelves
-- For each question: stock of the SKU at locations that offer the capability, the $9 best, first those with all units,
-- then the nearest ones. Kilometres by haversine on a sphere of the Earth's mean radius, from the place if it is known, else
-- from the location `near`; null if unknown. Only those within radius_km (0: all): if just one of the two has no known
-- place, it is out of reach; if both have none, it is not. With `elsewhere`, the location `near` is left out. No locks.
select asked.number, shelf.location, shelf.sku, shelf.on_hand, shelf.unsellable, shelf.reserved, shelf.safety_stock,
       true as exists, shelf.distance
  from unnest($1::text[], $2::bigint[], $3::text[], $4::float8[], $5::float8[], $6::text[], $7::boolean[], $8::bigint[])
       with ordinality
       as asked (sku, units, capability, latitude, longitude, near, elsewhere, radius_km, number)
  left join lateral (select l.latitude, l.longitude from locations l where l.code = asked.near collate "C") as beside on true
 cross join lateral (select coalesce(asked.latitude, beside.latitude) as latitude,
                            coalesce(asked.longitude, beside.longitude) as longitude) as origin
 cross join lateral (
        select s.location, s.sku, s.on_hand, s.unsellable, s.reserved, s.safety_stock, away.distance
          from stock s
         cross join lateral (select * from locations where locations.code = s.location) as there
         cross join lateral (select power(sind((there.latitude - origin.latitude) / 2), 2)
                                    + cosd(origin.latitude) * cosd(there.latitude)
                                            * power(sind((there.longitude - origin.longitude) / 2), 2) as h) as arc
         cross join lateral (select 2 * 6371.0088 * atan2(sqrt(arc.h), sqrt(greatest(0, 1 - arc.h))) as distance) as away
         where s.sku = asked.sku collate "C" and (not asked.elsewhere or s.location is distinct from asked.near collate "C")
           and asked.capability = any(there.capabilities)
           and s.on_hand - s.unsellable - s.reserved - s.safety_stock > 0
           and (asked.radius_km = 0
                or coalesce(away.distance <= asked.radius_km, num_nonnulls(origin.latitude, there.latitude) = 0))
         order by s.on_hand - s.unsellable - s.reserved - s.safety_stock < asked.units, away.distance, s.location
         limit $9::bigint) as shelf
 order by shelf.location, shelf.sku, asked.number
