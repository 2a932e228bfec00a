-- Returns. The lock of their order guards them: statements read them after it, and take no other lock.

-- :name returns_find
-- The orders of returns, which never change, and the locations that expect them. $1 ids.
select r.id, r.order_id, r.location from returns r where r.id = any($1::uuid[])

-- :name returns_orders_by_number
select o.order_number, o.id from orders o where o.order_number = any($1::text[])

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

-- :name returns_left_days
-- The time from which the customer had the units of the fulfillments of an order, and today's date, by the clocks of a
-- location. $1 orders, $2 locations (same length). Imported fulfillments have no such events.
select wanted.order_id, f.id, wanted.location,
       ((coalesce(told.at, f.updated_at) at time zone l.time_zone)::date - date '1970-01-01')::bigint,
       ((clock_timestamp() at time zone l.time_zone)::date - date '1970-01-01')::bigint
  from unnest($1::uuid[], $2::text[]) as wanted (order_id, location)
 cross join lateral (select locations.time_zone from locations
                      where locations.code = wanted.location collate "C") as l
 cross join lateral (select fulfillments.id, fulfillments.updated_at from fulfillments
                      where fulfillments.order_id = wanted.order_id) as f
 cross join lateral (select max(e.occurred_at) as at from events e
                      where e.order_id = wanted.order_id and e.fulfillment_id = f.id
                        and e.type in ('fulfillment.handed_over', 'fulfillment.partially_handed_over',
                                       'fulfillment.shipped', 'fulfillment.partially_shipped',
                                       'fulfillment.delivered')) as told

-- :name returns_insert of returns
insert into returns (id, order_id, return_number, location, status, by_post, overridden, shipping, withheld, refund_to,
                     exchange, unexpected, cancel_reason, actor, moved_by, version, created_at, updated_at, shipping_tax,
                     withheld_tax)
select id, order_id, return_number, location, status, by_post, overridden, shipping, withheld, refund_to,
       exchange, unexpected, cancel_reason, actor, moved_by, version, created_at, updated_at, shipping_tax,
       withheld_tax
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::boolean[], $8::bigint[],
              $9::bigint[], $10::text[], $11::jsonb[], $12::jsonb[], $13::text[], $14::text[], $15::text[],
              $16::bigint[], $17::timestamptz[], $18::timestamptz[], $19::bigint[], $20::bigint[])
       as made (id, order_id, return_number, location, status, by_post, overridden, shipping, withheld, refund_to,
                exchange, unexpected, cancel_reason, actor, moved_by, version, created_at, updated_at, shipping_tax,
                withheld_tax)

-- :name returns_update of returns
update returns r
   set status = changed.status, overridden = changed.overridden, shipping = changed.shipping,
       withheld = changed.withheld, refund_to = changed.refund_to, exchange = changed.exchange,
       unexpected = changed.unexpected, cancel_reason = changed.cancel_reason, moved_by = changed.moved_by,
       version = changed.version, updated_at = changed.updated_at, shipping_tax = changed.shipping_tax,
       withheld_tax = changed.withheld_tax
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::boolean[], $8::bigint[],
              $9::bigint[], $10::text[], $11::jsonb[], $12::jsonb[], $13::text[], $14::text[], $15::text[],
              $16::bigint[], $17::timestamptz[], $18::timestamptz[], $19::bigint[], $20::bigint[])
       as changed (id, order_id, return_number, location, status, by_post, overridden, shipping, withheld, refund_to,
                   exchange, unexpected, cancel_reason, actor, moved_by, version, created_at, updated_at, shipping_tax,
                   withheld_tax)
 where r.id = changed.id

-- :name return_lines_insert of return_lines
insert into return_lines (return_id, line, id, order_id, order_line, sku, quantity, reason, announced, reception, acceptance,
                          condition, disposition, bucket, location, value, fee, refund, terms, note, received_at, tax)
select return_id, line, id, order_id, order_line, sku, quantity, reason, announced, reception, acceptance,
       condition, disposition, bucket, location, value, fee, refund, terms, note, received_at, tax
  from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::bigint[], $8::text[],
              $9::boolean[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[],
              $17::bigint[], $18::bigint[], $19::jsonb[], $20::text[], $21::timestamptz[], $22::bigint[])
       as line (return_id, line, id, order_id, order_line, sku, quantity, reason, announced, reception, acceptance,
                condition, disposition, bucket, location, value, fee, refund, terms, note, received_at, tax)

-- :name return_lines_update of return_lines
update return_lines l
   set quantity = changed.quantity, reception = changed.reception, acceptance = changed.acceptance,
       condition = changed.condition, disposition = changed.disposition, bucket = changed.bucket,
       location = changed.location, value = changed.value, fee = changed.fee, refund = changed.refund,
       note = changed.note, received_at = changed.received_at, tax = changed.tax
  from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::bigint[], $8::text[],
              $9::boolean[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[],
              $17::bigint[], $18::bigint[], $19::jsonb[], $20::text[], $21::timestamptz[], $22::bigint[])
       as changed (return_id, line, id, order_id, order_line, sku, quantity, reason, announced, reception, acceptance,
                   condition, disposition, bucket, location, value, fee, refund, terms, note, received_at, tax)
 where l.return_id = changed.return_id and l.line = changed.line

-- :name returns_page free
-- Newest first: $1 order, $2 order_number, $3 return_number, $4 location, $5 statuses, $6 locations of the token, $7 channel of the
-- token, null for all; $8 and $9 after this time and id, null from the start; $10 rows at most.
select r.id, r.order_id, r.created_at
  from returns r
  join orders o on o.id = r.order_id
 where ($1::uuid is null or r.order_id = $1) and ($2::text is null or o.order_number = $2)
   and ($3::text is null or r.return_number = $3) and ($4::text is null or r.location = $4)
   and ($5::text[] is null or r.status = any($5)) and ($6::text[] is null or r.location = any($6))
   and ($7::text is null or o.channel = $7)
   and ($8::timestamptz is null or (r.created_at, r.id) < ($8, $9::uuid))
 order by r.created_at desc, r.id desc
 limit $10::bigint
