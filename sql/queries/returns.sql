-- Returns. The lock of their order guards them: statements read them after it, and take no other lock.

-- :name returns_find of return_targets
-- The orders of returns, which never change, and the locations that expect them. $1 ids.
select r.id, r.order_id, r.location from returns r where r.id = any($1::uuid[])

-- :name returns_orders_by_number of return_targets
select o.order_number as number, o.id as order_id from orders o where o.order_number = any($1::text[])

-- :name returns_read of returns
-- All returns of the orders $1.
select r.id, r.order_id, r.return_number, r.location, r.status, r.by_post, r.overridden, r.shipping, r.withheld, r.shipping_tax,
       r.withheld_tax, r.refund_to,
       r.exchange, r.unexpected, r.cancel_reason, r.actor, r.moved_by, r.version, r.created_at, r.updated_at
  from returns r
 where r.order_id = any($1::uuid[])
 order by r.order_id, r.id

-- :name return_lines_read of return_lines
select l.return_id, l.line, l.id, l.order_line, l.quantity, l.reason, l.announced, l.reception, l.acceptance, l.condition,
       l.disposition, l.bucket, l.location, l.value, l.fee, l.refund, l.tax, l.terms, l.note, l.received_at
  from return_lines l
 where l.order_id = any($1::uuid[])
 order by l.return_id, l.line

-- :name returns_left_days of left_days
-- The time from which the customer had the units of the fulfillments of an order, and today's date, by the clocks of a
-- location. $1 orders, $2 locations (same length). Imported fulfillments have no such events.
select wanted.order_id, f.id as fulfillment_id, wanted.location,
       ((coalesce(told.at, f.updated_at) at time zone l.time_zone)::date - date '1970-01-01')::bigint as "left",
       ((clock_timestamp() at time zone l.time_zone)::date - date '1970-01-01')::bigint as today
  from unnest($1::uuid[], $2::text[]) as wanted (order_id, location)
 cross join lateral (select locations.time_zone from locations
                      where locations.code = wanted.location collate "C") as l
 cross join lateral (select fulfillments.id, fulfillments.updated_at from fulfillments
                      where fulfillments.order_id = wanted.order_id) as f
 cross join lateral (select max(e.occurred_at) as at from events e
                      where e.order_id = wanted.order_id and e.subject_id = f.id::text
                        and e.type in ('fulfillment.handed_over', 'fulfillment.partially_handed_over',
                                       'fulfillment.shipped', 'fulfillment.partially_shipped',
                                       'fulfillment.delivered')) as told

-- :part touched_places
-- A with-list: the lists of orders show the orders at the locations of their returns.
with places as (
        insert into order_places (order_id, location, channel, status, placed_at, updated_at)
        select o.id, touched.location, o.channel, o.status, o.placed_at, o.updated_at
          from unnest({orders}::uuid[], {locations}::text[]) as touched (order_id, location)
         cross join lateral (select * from orders where orders.id = touched.order_id) as o
         where touched.location is not null
            on conflict (order_id, location) do nothing
)

-- :part return_values
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::boolean[], $8::bigint[],
              $9::bigint[], $10::text[], $11::jsonb[], $12::jsonb[], $13::text[], $14::text[], $15::text[],
              $16::bigint[], $17::timestamptz[], $18::timestamptz[], $19::bigint[], $20::bigint[])
       as {row} (id, order_id, return_number, location, status, by_post, overridden, shipping, withheld, refund_to,
                   exchange, unexpected, cancel_reason, actor, moved_by, version, created_at, updated_at, shipping_tax,
                   withheld_tax)

-- :name returns_insert of returns
-- :use touched_places orders="$2" locations="$4"
insert into returns (id, order_id, return_number, location, status, by_post, overridden, shipping, withheld, refund_to,
                     exchange, unexpected, cancel_reason, actor, moved_by, version, created_at, updated_at, shipping_tax,
                     withheld_tax, channel)
select id, order_id, return_number, location, status, by_post, overridden, shipping, withheld, refund_to,
       exchange, unexpected, cancel_reason, actor, moved_by, version, created_at, updated_at, shipping_tax,
       withheld_tax, (select o.channel from orders o where o.id = made.order_id)
-- :use return_values row="made"

-- :name returns_update of returns
update returns r
   set status = changed.status, overridden = changed.overridden, shipping = changed.shipping,
       withheld = changed.withheld, refund_to = changed.refund_to, exchange = changed.exchange,
       unexpected = changed.unexpected, cancel_reason = changed.cancel_reason, moved_by = changed.moved_by,
       version = changed.version, updated_at = changed.updated_at, shipping_tax = changed.shipping_tax,
       withheld_tax = changed.withheld_tax
-- :use return_values row="changed"
 where r.id = changed.id

-- :part return_line_values
  from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::bigint[], $8::text[],
              $9::boolean[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[],
              $17::bigint[], $18::bigint[], $19::jsonb[], $20::text[], $21::timestamptz[], $22::bigint[])
       as {row} (return_id, line, id, order_id, order_line, sku, quantity, reason, announced, reception, acceptance,
                   condition, disposition, bucket, location, value, fee, refund, terms, note, received_at, tax)

-- :name return_lines_insert of return_lines
-- :use touched_places orders="$4" locations="$15"
insert into return_lines (return_id, line, id, order_id, order_line, sku, quantity, reason, announced, reception, acceptance,
                          condition, disposition, bucket, location, value, fee, refund, terms, note, received_at, tax)
select return_id, line, id, order_id, order_line, sku, quantity, reason, announced, reception, acceptance,
       condition, disposition, bucket, location, value, fee, refund, terms, note, received_at, tax
-- :use return_line_values row="line"

-- :name return_lines_update of return_lines
-- :use touched_places orders="$4" locations="$15"
update return_lines l
   set quantity = changed.quantity, reception = changed.reception, acceptance = changed.acceptance,
       condition = changed.condition, disposition = changed.disposition, bucket = changed.bucket,
       location = changed.location, value = changed.value, fee = changed.fee, refund = changed.refund,
       note = changed.note, received_at = changed.received_at, tax = changed.tax
-- :use return_line_values row="changed"
 where l.return_id = changed.return_id and l.line = changed.line

-- :name returns_page of listed_returns free
-- Newest first: $1 order, $2 order_number, $3 return_number, $4 locations (of the token, or the one that is asked for), $5 statuses,
-- $6 channel of the token; null for all; $7 and $8 after this time and id, null from the start; $9 rows at most. $10 which filters lead to
-- the returns: "order", "number", "place" locations, "state" a channel, statuses or none (orders_page says how).
with recursive state (channel, status) as (
        (select r.channel, r.status
           from returns r
          where $10::text = 'state' and ($6::text is null or r.channel = $6 collate "C")
          order by r.channel, r.status
          limit 1)
         union all
        select next.channel, next.status
          from state s
         cross join lateral (select next_status.*
                               from ((select r.channel, r.status
                                        from returns r
                                       where r.channel = s.channel and r.status > s.status
                                       order by r.status
                                       limit 1)
                                      union all
                                     (select r.channel, r.status
                                        from returns r
                                       where r.channel > s.channel and $6::text is null
                                       order by r.channel, r.status
                                       limit 1)) as next_status
                              order by next_status.channel, next_status.status
                              limit 1) as next
), place (location, channel, status) as (
        select first.location, first.channel, first.status
          from unnest($4::text[]) as asked (location)
         cross join lateral (select r.location, r.channel, r.status
                               from returns r
                              where r.location = asked.location collate "C" and ($6::text is null or r.channel = $6 collate "C")
                              order by r.channel, r.status
                              limit 1) as first
         where $10::text = 'place'
         union all
        select next.location, next.channel, next.status
          from place s
         cross join lateral (select next_status.*
                               from ((select r.location, r.channel, r.status
                                        from returns r
                                       where r.location = s.location and r.channel = s.channel and r.status > s.status
                                       order by r.status
                                       limit 1)
                                      union all
                                     (select r.location, r.channel, r.status
                                        from returns r
                                       where r.location = s.location and r.channel > s.channel and $6::text is null
                                       order by r.channel, r.status
                                       limit 1)) as next_status
                              order by next_status.channel, next_status.status
                              limit 1) as next
), stream as materialized (
        select s.channel, s.status, s.location
          from (select state.channel, state.status, null::text as location from state
                 union all
                select place.channel, place.status, place.location from place) as s
         where $5::text[] is null or s.status = any($5)
), walked as (
        select r.id, r.order_id, r.created_at
          from returns r
         where $10::text = 'order' and r.order_id = coalesce($1::uuid, (select o.id from orders o where o.order_number = $2))
           and ($1::uuid is null or $2::text is null or exists (select from orders o where o.id = $1 and o.order_number = $2))
           and ($3::text is null or r.return_number = $3) and ($4::text[] is null or r.location = any($4 collate "C"))
           and ($5::text[] is null or r.status = any($5)) and ($6::text is null or r.channel = $6 collate "C")
         union all
        select r.id, r.order_id, r.created_at
          from returns r
         where $10::text = 'number' and r.return_number = $3 and ($4::text[] is null or r.location = any($4 collate "C"))
           and ($5::text[] is null or r.status = any($5)) and ($6::text is null or r.channel = $6 collate "C")
         union all
        select r.id, r.order_id, r.created_at
          from stream s
         cross join lateral (select *
                               from returns
                              where returns.channel = s.channel collate "C" and returns.status = s.status
                                and ($7::timestamptz is null or (returns.created_at, returns.id) < ($7, $8::uuid))
                              order by returns.created_at desc, returns.id desc
                              limit $9::bigint) as r
         where $10::text = 'state'
         union all
        select r.id, r.order_id, r.created_at
          from stream s
         cross join lateral (select *
                               from returns
                              where returns.location = s.location collate "C" and returns.channel = s.channel collate "C"
                                and returns.status = s.status
                                and ($7::timestamptz is null or (returns.created_at, returns.id) < ($7, $8::uuid))
                              order by returns.created_at desc, returns.id desc
                              limit $9::bigint) as r
         where $10::text = 'place'
)
select w.id, w.order_id, w.created_at
  from walked w
 where $7::timestamptz is null or (w.created_at, w.id) < ($7, $8::uuid)
 order by w.created_at desc, w.id desc
 limit $9::bigint
