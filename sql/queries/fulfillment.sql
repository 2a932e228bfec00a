-- Fulfillments, beside their orders.

-- :name resourcing_policies of resourcing_policies
-- For each fulfillment $1: whether other locations take over its missing units, and the radius in kilometres (0: no limit). The channel
-- of its order says; else $2 and $3.
select f.id, coalesce(c.resourcing, $2::boolean) as enabled, coalesce(c.resourcing_radius_km, $3::bigint) as radius_km
  from unnest($1::uuid[]) as asked (id)
 cross join lateral (select * from fulfillments where fulfillments.id = asked.id) as f
 cross join lateral (select * from orders where orders.id = f.order_id) as o
  left join lateral (select * from channels where channels.code = o.channel) as c on true
