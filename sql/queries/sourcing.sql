-- Other locations for missing units.

-- :name sourcing_shelves
-- Stock of other locations for fulfillments $1 with $3 missing units of $2 skus (same length), if the location offers
-- the method of the fulfillment. For each the $4 best, first those with all units, then the nearest ones. Kilometres by
-- haversine on a sphere of the Earth's mean radius, from the shipping address if its place is known, else from the location of
-- the fulfillment; null if unknown. For pickup and curbside, only those within $5 km (0: all). If just one
-- of the two has no known place, it is out of reach; if both have none, it is not. No locks.
select asked.place, shelf.location, shelf.sku, shelf.on_hand, shelf.unsellable, shelf.reserved, shelf.safety_stock,
       shelf.distance
  from unnest($1::uuid[], $2::text[], $3::bigint[]) with ordinality as asked (fulfillment_id, sku, units, place)
 cross join lateral (select * from fulfillments where fulfillments.id = asked.fulfillment_id) as f
 cross join lateral (select * from orders where orders.id = f.order_id) as o
 cross join lateral (select * from locations where locations.code = f.location) as l
 cross join lateral (select case when f.method = 'ship' then (o.ship_to ->> 'latitude')::double precision end as latitude,
                            case when f.method = 'ship' then (o.ship_to ->> 'longitude')::double precision end as longitude)
            as destination
 cross join lateral (select coalesce(destination.latitude, l.latitude) as latitude,
                            coalesce(destination.longitude, l.longitude) as longitude) as origin
 cross join lateral (
        select s.location, s.sku, s.on_hand, s.unsellable, s.reserved, s.safety_stock, away.distance
          from stock s
         cross join lateral (select * from locations where locations.code = s.location) as there
         cross join lateral (select power(sind((there.latitude - origin.latitude) / 2), 2)
                                    + cosd(origin.latitude) * cosd(there.latitude)
                                            * power(sind((there.longitude - origin.longitude) / 2), 2) as h) as arc
         cross join lateral (select 2 * 6371.0088 * atan2(sqrt(arc.h), sqrt(greatest(0, 1 - arc.h))) as distance) as away
         where s.sku = asked.sku collate "C" and s.location <> f.location and f.method = any(there.capabilities)
           and s.on_hand - s.unsellable - s.reserved - s.safety_stock > 0
           and (f.method = 'ship' or $5::bigint = 0
                or coalesce(away.distance <= $5::bigint, num_nonnulls(origin.latitude, there.latitude) = 0))
         order by s.on_hand - s.unsellable - s.reserved - s.safety_stock < asked.units, away.distance, s.location
         limit $4::bigint) as shelf
 order by shelf.location, shelf.sku, asked.place
