-- Orders as a whole: header, lines, discounts, fulfillments. Documents are named by order id ($1) or by the id of one of their
-- fulfillments ($2), whose order never changes.

-- :name orders_read of orders
-- $3 the time that an order may stay unpaid if its channel does not say, in seconds; 0: for ever.
select o.id, o.order_number, o.channel, o.external_ref, o.status, o.payment_status, o.payment_reference, o.payment_due_at,
       o.currency, o.customer, o.ship_to, o.subtotal, o.discount, o.shipping, o.tax, o.tax_included, o.total,
       o.credited, o.adjusted, o.adjusted_tax, o.paid, o.refunded, o.refund_due, o.returns_awaited, o.reservation_id, o.cancel_reason, o.actor, o.version, o.placed_at,
       o.updated_at, o.unpaid_since,
       case when o.unpaid_since is not null
            then coalesce((select c.unpaid_ttl_s from channels c where c.code = o.channel), $3::bigint) end as unpaid_ttl_s
  from orders o
 where o.id = any($1::uuid[] || array(select f.order_id from fulfillments f where f.id = any($2::uuid[])))
 order by o.id

-- :name orders_lock of orders
-- :use orders_read
   for update

-- :name fulfillments_read of fulfillments
select f.id, f.order_id, f.number, f.method, f.location, f.status, f.reason, f.promised_at, f.hold_until, f.assignee,
       f.staging_location, f.pickup_serial, f.wrong_codes, f.locked_until, f.handover, f.packages, f.version,
       f.created_at, f.updated_at, f.replaces, f.check_in, f.eta_minutes, f.bay, f.vehicle_make, f.vehicle_color,
       f.vehicle_plate, f.on_the_way_at, f.arrived_at, f.waited_s, f.remind_at, f.recipient, f.moved_by,
       f.link_digest, f.link_expires_at, f.slot_at
  from fulfillments f
 where f.order_id = any($1::uuid[] || array(select named.order_id from fulfillments named where named.id = any($2::uuid[])))
 order by f.order_id, f.id

-- :name fulfillments_lock of fulfillments
-- After their orders.
-- :use fulfillments_read
   for update

-- :name order_lines_read of order_lines
select l.order_id, l.line, l.id, l.sku, l.title, l.quantity, l.unit_price, l.value, l.cancelled, l.fulfilled, l.returned,
       l.settled, l.settled_value, l.tax, l.settled_tax, l.cancelled_value, l.cancelled_tax
  from order_lines l
 where l.order_id = any($1::uuid[] || array(select f.order_id from fulfillments f where f.id = any($2::uuid[])))
 order by l.order_id, l.line

-- :name order_discounts_read of order_discounts
select d.order_id, d.amount, d.line, d.reason
  from order_discounts d
 where d.order_id = any($1::uuid[] || array(select f.order_id from fulfillments f where f.id = any($2::uuid[])))
 order by d.order_id, d.number

-- :name fulfillment_lines_read of fulfillment_lines
select l.order_id, l.fulfillment_id, l.line, l.sku, l.quantity, l.picked, l.short, l.resourced, l.cancelled, l.moved,
       l.expired, l.fulfilled
  from fulfillment_lines l
 where l.order_id = any($1::uuid[] || array(select f.order_id from fulfillments f where f.id = any($2::uuid[])))
 order by l.order_id, l.fulfillment_id, l.line

-- :name payments_read of payments
select p.order_id, p.id, p.number, p.provider, p.reference, p.status, p.amount, p.authorized, p.captured, p.voided,
       p.capture_due, p.void_due, p.void_asked, p.failed, p.opened, p.refunded, p.actor, p.version, p.created_at, p.updated_at
  from payments p
 where p.order_id = any($1::uuid[] || array(select f.order_id from fulfillments f where f.id = any($2::uuid[])))
 order by p.order_id, p.number

-- :name refunds_read of refunds
select r.order_id, r.id, r.number, r.payment_id, r.return_id, r.amount, r.tax, r.destination, r.status, r.reason, r.reference,
       r.actor, r.version, r.created_at, r.updated_at
  from refunds r
 where r.order_id = any($1::uuid[] || array(select f.order_id from fulfillments f where f.id = any($2::uuid[])))
 order by r.order_id, r.number

-- :name order_return_claims of return_claims
-- Refundable amounts of the returns of the orders $1, the oldest first.
select r.order_id, r.id as return_id,
       (r.shipping - r.withheld
        + coalesce((select sum(l.refund) from return_lines l
                     where l.return_id = r.id and l.acceptance = 'accepted'), 0))::bigint as amount,
       (r.shipping_tax - r.withheld_tax
        + coalesce((select sum(l.tax) from return_lines l
                     where l.return_id = r.id and l.acceptance = 'accepted'), 0))::bigint as tax
  from returns r
 where r.order_id = any($1::uuid[])
 order by r.order_id, r.created_at, r.id

-- :name orders_lock_stock of stock
-- The stock rows of all units that the orders hold, in the common lock order.
select s.location, s.sku, s.on_hand, s.unsellable, s.reserved, s.safety_stock, s.movements, true as exists,
       true as location_known, true as sku_known
  from (select distinct l.location, l.sku
          from fulfillment_lines l
         where l.order_id = any($1::uuid[] || array(select f.order_id from fulfillments f where f.id = any($2::uuid[])))
         order by l.location, l.sku) as wanted
 cross join lateral (select * from stock
                      where stock.location = wanted.location and stock.sku = wanted.sku
                        for update) as s
 order by s.location, s.sku

-- :name orders_lock_stock_and_more of stock
-- The same together with other rows ($3 locations, $4 skus).
select s.location, s.sku, s.on_hand, s.unsellable, s.reserved, s.safety_stock, s.movements, true as exists,
       true as location_known, true as sku_known
  from (select l.location, l.sku
          from fulfillment_lines l
         where l.order_id = any($1::uuid[] || array(select f.order_id from fulfillments f where f.id = any($2::uuid[])))
         union
        select location collate "C", sku collate "C"
          from unnest($3::text[], $4::text[]) as named (location, sku)
         order by location, sku) as wanted
 cross join lateral (select * from stock
                      where stock.location = wanted.location and stock.sku = wanted.sku
                        for update) as s
 order by s.location, s.sku

-- :name orders_place_lock_stock of stock
-- As stock_lock ($1 locations, $2 skus), together with the rows of the reservations that are claimed ($3).
select wanted.location, wanted.sku, s.on_hand, s.unsellable, s.reserved, s.safety_stock, s.movements,
       s.sku is not null as exists,
       s.sku is null and (select true from locations l where l.code = wanted.location collate "C") is true as location_known,
       s.sku is null and (select true from products p where p.sku = wanted.sku collate "C") is true as sku_known
  from (select location collate "C" as location, sku collate "C" as sku
          from unnest($1::text[], $2::text[]) as named (location, sku)
         union
        select l.location, l.sku
          from reservation_lines l
         where l.reservation_id = any($3::uuid[])
         order by location, sku) as wanted
  left join lateral (select * from stock
                      where stock.location = wanted.location and stock.sku = wanted.sku
                        for update) as s on true

-- :name orders_by_external_ref of orders
-- The external_refs that their channel has already. $1 channels, $2 external_refs.
select o.channel, o.external_ref, o.id
  from unnest($1::text[], $2::text[]) as wanted (channel, external_ref)
 cross join lateral (select * from orders
                      where orders.channel = wanted.channel collate "C"
                        and orders.external_ref = wanted.external_ref collate "C") as o

-- :name orders_known_by_external_ref of known_orders
-- Orders that a channel has already, line by line. $1 channels, $2 external_refs; each row names the place of its ref. The
-- event order.created holds the country, as long as it is kept.
select wanted.place, l.sku, l.title, l.quantity, l.unit_price, o.currency, o.placed_at,
       o.customer ->> 'customer_id' as customer_id, o.customer ? 'erased_at' as is_erased, f.location,
       e.data is not null as tells_country, e.data ->> 'country' as country
  from unnest($1::text[], $2::text[]) with ordinality as wanted (channel, external_ref, place)
 cross join lateral (select orders.id, orders.currency, orders.placed_at, orders.customer from orders
                      where orders.channel = wanted.channel collate "C"
                        and orders.external_ref = wanted.external_ref collate "C") as o
 cross join lateral (select * from order_lines
                      where order_lines.order_id = o.id) as l
  left join lateral (select fulfillments.location from fulfillments
                      where fulfillments.order_id = o.id
                      order by fulfillments.id
                      limit 1) as f on true
  left join lateral (select events.data from events
                      where events.order_id = o.id and events.type = 'order.created'
                      order by events.occurred_at, events.id
                      limit 1) as e on true
 order by wanted.place, l.line

-- :name orders_local_times of local_times
-- Times at locations as instants: local, or UTC with a Z behind it; null where there is no such location. $1 locations, $2
-- times.
select case when l.code is null then null
            when right(wanted.told, 1) = 'Z' then wanted.told::timestamptz
            else wanted.told::timestamp at time zone l.time_zone end as instant
  from unnest($1::text[], $2::text[]) with ordinality as wanted (location, told, place)
  left join locations l on l.code = wanted.location collate "C"
 order by wanted.place

-- :name orders_insert of orders
with due as (
        insert into order_search_due (orders) select $1::uuid[] where cardinality($1::uuid[]) > 0
)
insert into orders (id, order_number, channel, external_ref, status, payment_status, payment_reference, payment_due_at,
                    currency, customer, ship_to, subtotal, discount, shipping, tax, tax_included, total,
                    reservation_id, actor, placed_at, updated_at, paid, open_for, unpaid_since)
select id, order_number, channel, external_ref, status, payment_status, payment_reference, payment_due_at,
       currency, customer, ship_to, subtotal, discount, shipping, tax, tax_included, total,
       reservation_id, actor, placed_at, updated_at, paid, open_for, unpaid_since
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
              $9::text[], $10::jsonb[], $11::jsonb[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
              $16::boolean[], $17::bigint[], $18::uuid[], $19::text[], $20::timestamptz[], $21::timestamptz[],
              $22::bigint[], $23::text[], $24::timestamptz[])
       as placed (id, order_number, channel, external_ref, status, payment_status, payment_reference, payment_due_at,
                  currency, customer, ship_to, subtotal, discount, shipping, tax, tax_included, total,
                  reservation_id, actor, placed_at, updated_at, paid, open_for, unpaid_since)

-- :name order_lines_insert of order_lines
insert into order_lines (order_id, line, id, sku, title, quantity, unit_price, fulfilled, value, tax)
select order_id, line, id, sku, title, quantity, unit_price, fulfilled, value, tax
  from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::bigint[])
       as line (order_id, line, id, sku, title, quantity, unit_price, fulfilled, value, tax)

-- :name order_discounts_insert of order_discounts
insert into order_discounts (order_id, number, amount, line, reason)
select order_id, number, amount, line, reason
  from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[])
       as discount (order_id, number, amount, line, reason)

-- :name fulfillments_insert of fulfillments
-- After their orders. A new order has no places yet; those of others are looked up.
with places as (
        insert into order_places (order_id, location, channel, status, placed_at, updated_at)
        select distinct made.order_id, made.location, made.channel, made.order_status, made.placed_at, made.order_updated_at
          from unnest($2::uuid[], $5::text[], $12::text[], $13::text[], $14::timestamptz[], $15::timestamptz[], $16::boolean[])
               as made (order_id, location, channel, order_status, placed_at, order_updated_at, order_is_new)
         where made.order_is_new
            or (select true from order_places p
                 where p.order_id = made.order_id and p.location = made.location collate "C" limit 1) is null
)
insert into fulfillments (id, order_id, number, method, location, status, promised_at, created_at, updated_at, slot_at,
                          replaces, recipient)
select id, order_id, number, method, location, status, promised_at, created_at, created_at, slot_at, replaces, recipient
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
              $8::timestamptz[], $9::timestamptz[], $10::uuid[], $11::jsonb[], $12::text[], $13::text[],
              $14::timestamptz[], $15::timestamptz[], $16::boolean[])
       as fulfillment (id, order_id, number, method, location, status, promised_at, created_at, slot_at, replaces,
                       recipient, channel, order_status, placed_at, order_updated_at, order_is_new)

-- :name fulfillment_lines_insert of fulfillment_lines
insert into fulfillment_lines (order_id, fulfillment_id, line, location, sku, quantity, picked, fulfilled, reserved)
select order_id, fulfillment_id, line, location, sku, quantity, picked, fulfilled, quantity - fulfilled
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[])
       as line (order_id, fulfillment_id, line, location, sku, quantity, picked, fulfilled)

-- :name orders_update of orders
with moved as (
        update order_places p
           set status = changed.status, updated_at = changed.updated_at
          from (select unnest($1::uuid[]) as id, unnest($2::text[]) as status, unnest($8::timestamptz[]) as updated_at) as changed
         where p.order_id = changed.id
)
update orders o
   set status = changed.status, payment_status = changed.payment_status, refunded = changed.refunded,
       refund_due = changed.refund_due, cancel_reason = changed.cancel_reason, version = changed.version,
       updated_at = changed.updated_at, credited = changed.credited, adjusted = changed.adjusted, paid = changed.paid,
       payment_due_at = changed.payment_due_at, adjusted_tax = changed.adjusted_tax,
       returns_awaited = changed.returns_awaited, open_for = changed.open_for, unpaid_since = changed.unpaid_since
  from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
              $8::timestamptz[], $9::bigint[], $10::bigint[], $11::bigint[], $12::timestamptz[], $13::bigint[], $14::bigint[],
              $15::text[], $16::timestamptz[])
       as changed (id, status, payment_status, refunded, refund_due, cancel_reason, version, updated_at, credited,
                   adjusted, paid, payment_due_at, adjusted_tax, returns_awaited, open_for, unpaid_since)
 where o.id = changed.id

-- :name orders_raise_returns
-- Of the orders $1, changed at $2: their returns show figures of the order, so each gets its next version.
with raised as (
        update returns r
           set version = r.version + 1, updated_at = changed.at
          from unnest($1::uuid[], $2::timestamptz[]) as changed (order_id, at)
         where r.order_id = changed.order_id
        returning r.id, r.version, r.location, r.channel
)
select event_cover('return.updated', 'returns', raised.id, raised.version, raised.location, raised.channel) from raised

-- :name orders_rewrite of orders
-- Members of an order besides its states. $1 ids, $2 customers, $3 addresses, $4 to $9 amounts.
with due as (
        insert into order_search_due (orders) select $1::uuid[] where cardinality($1::uuid[]) > 0
)
update orders o
   set customer = changed.customer, ship_to = changed.ship_to, subtotal = changed.subtotal, discount = changed.discount,
       shipping = changed.shipping, tax = changed.tax, tax_included = changed.tax_included, total = changed.total
  from unnest($1::uuid[], $2::jsonb[], $3::jsonb[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::boolean[], $9::bigint[])
       as changed (id, customer, ship_to, subtotal, discount, shipping, tax, tax_included, total)
 where o.id = changed.id

-- :name order_discounts_delete of orders
delete from order_discounts d using unnest($1::uuid[]) as rewritten (id) where d.order_id = rewritten.id

-- :name order_lines_update of order_lines
update order_lines l
   set quantity = changed.quantity, cancelled = changed.cancelled, fulfilled = changed.fulfilled,
       returned = changed.returned, value = changed.value, settled = changed.settled,
       settled_value = changed.settled_value, tax = changed.tax, settled_tax = changed.settled_tax,
       cancelled_value = changed.cancelled_value, cancelled_tax = changed.cancelled_tax
  from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
       as changed (order_id, line, quantity, cancelled, fulfilled, returned, value, settled, settled_value, tax,
                   settled_tax, cancelled_value, cancelled_tax)
 where l.order_id = changed.order_id and l.line = changed.line

-- :name fulfillments_update of fulfillments
update fulfillments f
   set status = changed.status, reason = changed.reason, hold_until = changed.hold_until, assignee = changed.assignee,
       staging_location = changed.staging_location, pickup_serial = changed.pickup_serial,
       wrong_codes = changed.wrong_codes, locked_until = changed.locked_until, handover = changed.handover,
       packages = changed.packages, version = changed.version, updated_at = changed.updated_at,
       remind_at = changed.remind_at, recipient = changed.recipient, moved_by = changed.moved_by
  from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::bigint[],
              $8::bigint[], $9::timestamptz[], $10::jsonb[], $11::jsonb[], $12::bigint[], $13::timestamptz[],
              $14::timestamptz[], $15::jsonb[], $16::text[])
       as changed (id, status, reason, hold_until, assignee, staging_location, pickup_serial, wrong_codes,
                   locked_until, handover, packages, version, updated_at, remind_at, recipient, moved_by)
 where f.id = changed.id

-- :name check_ins_update of fulfillments
update fulfillments f
   set check_in = changed.check_in, eta_minutes = changed.eta_minutes, bay = changed.bay,
       vehicle_make = changed.vehicle_make, vehicle_color = changed.vehicle_color, vehicle_plate = changed.vehicle_plate,
       on_the_way_at = changed.on_the_way_at, arrived_at = changed.arrived_at, waited_s = changed.waited_s
  from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
              $8::timestamptz[], $9::timestamptz[], $10::bigint[])
       as changed (id, check_in, eta_minutes, bay, vehicle_make, vehicle_color, vehicle_plate, on_the_way_at, arrived_at,
                   waited_s)
 where f.id = changed.id

-- :name links_update of fulfillments
update fulfillments f
   set link_digest = changed.link_digest, link_expires_at = changed.link_expires_at
  from unnest($1::uuid[], $2::bytea[], $3::timestamptz[]) as changed (id, link_digest, link_expires_at)
 where f.id = changed.id

-- :name fulfillments_leave_slots
update fulfillments f set slot_at = null where f.id = any($1::uuid[])

-- :name fulfillment_lines_update of fulfillment_lines
update fulfillment_lines l
   set quantity = changed.quantity, picked = changed.picked, short = changed.short, resourced = changed.resourced,
       cancelled = changed.cancelled, moved = changed.moved, expired = changed.expired, fulfilled = changed.fulfilled,
       reserved = changed.quantity - changed.short - changed.cancelled - changed.fulfilled
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
       as changed (order_id, fulfillment_id, line, quantity, picked, short, resourced, cancelled, moved, expired, fulfilled)
 where l.order_id = changed.order_id and l.fulfillment_id = changed.fulfillment_id and l.line = changed.line

-- :name order_return_places
-- The locations that have received goods of the orders $1, or expect them.
select r.order_id, r.location from returns r where r.order_id = any($1::uuid[])
 union
select l.order_id, l.location from return_lines l where l.order_id = any($1::uuid[]) and l.location is not null

-- :name order_timeline of timeline_entries
-- Every event of an order, oldest first. $1 the order, $2 how many at most.
select e.id, e.type, e.occurred_at, e.actor, case when e.subject_kind = 'fulfillments' then e.subject_id::uuid end as fulfillment_id,
       e.location, e.data
  from events e
 where e.order_id = $1::uuid
 order by e.occurred_at, e.id
 limit $2::bigint

-- :name orders_unpaid free
-- Orders with an overdue payment, for the sweeper. $1 at most; $2 as $3 of orders_lock. A deadline that the order names counts, else
-- the time that its channel states.
select overdue.id
  from (select named.id, named.due_at
          from (select o.id, o.payment_due_at as due_at
                  from orders o
                 where o.payment_status = 'pending' and o.status in ('open', 'partially_fulfilled')
                   and o.payment_due_at <= statement_timestamp()
                 order by o.payment_due_at
                 limit $1::bigint) as named
         union all
        select waiting.id, waiting.unpaid_since + policy.ttl
          from (select c.code, coalesce(c.unpaid_ttl_s, $2::bigint) * interval '1 second' as ttl from channels c) as policy
         cross join lateral (select o.id, o.unpaid_since
                               from orders o
                              where o.channel = policy.code and o.payment_status = 'pending'
                                and o.status in ('open', 'partially_fulfilled')
                                and o.unpaid_since <= statement_timestamp() - policy.ttl
                              order by o.unpaid_since
                              limit $1::bigint) as waiting
         where policy.ttl > interval '0') as overdue
 order by overdue.due_at
 limit $1::bigint

-- :name fulfillments_to_expire free
-- Fulfillments that wait longer than their hold, for the sweeper. $1 at most; $2 seconds for which an arrival extends the hold,
-- $3 seconds after the announced arrival of a customer on the way.
select f.id
  from fulfillments f
 where f.status = 'ready' and f.hold_until <= statement_timestamp()
   and (f.check_in <> 'arrived' or f.arrived_at <= statement_timestamp() - $2::bigint * interval '1 second')
   and (f.check_in <> 'on_the_way'
        or f.on_the_way_at + coalesce(f.eta_minutes, 0) * interval '1 minute' + $3::bigint * interval '1 second'
           <= statement_timestamp())
 order by f.hold_until
 limit $1::bigint

-- :name fulfillments_to_remind free
-- Fulfillments whose customer needs a reminder, for the sweeper. $1 at most.
select f.id
  from fulfillments f
 where f.status = 'ready' and f.remind_at <= statement_timestamp()
 order by f.remind_at
 limit $1::bigint

-- ---- lists ----
-- The planner sees each call's values on the connections of lists, so it plans no branch for other filters.
-- $1 channel, $2 statuses, $3 external_ref, $4 order_number, $5 words, $6 locations the bearer may see, $7 time and $8 id of the last
-- order seen, $9 how many, $10 e-mail address in any case, $11 phone number by its digits in each way to write it, $12 changed since: null for all, but $9.
-- Statements with words: $13 the words as an order number, $14 as the digits of a phone, in each way to write it.
--
-- A list is merged from streams, one for each channel and status (and location) that exists. An index holds each stream in the order
-- of the list. There is no index by time alone: the planner would walk it past all orders that a filter leaves out. A location has a
-- stream of orders as they were placed, whose last change is their placing, and one of changed orders: so a new order is in one index.

-- :part order_streams
-- In a with-list: the streams that exist, walked from one to the next by the index.
), state (status, channel) as (
        (select o.status, o.channel from orders o where $6::text[] is null order by o.status, o.channel limit 1)
         union all
        select next.status, next.channel
          from state s
         cross join lateral (select after.*
                               from ((select o.status, o.channel
                                        from orders o
                                       where o.status = s.status and o.channel > s.channel
                                       order by o.channel
                                       limit 1)
                                      union all
                                     (select o.status, o.channel
                                        from orders o
                                       where o.status > s.status
                                       order by o.status, o.channel
                                       limit 1)) as after
                              order by after.status, after.channel
                              limit 1) as next
), place (location, channel, status) as (
        select first.location, first.channel, first.status
          from unnest($6::text[]) as asked (location)
         cross join lateral (select p.location, p.channel, p.status
                               from order_places p
                              where p.location = asked.location collate "C" and ($1::text is null or p.channel = $1 collate "C")
                              order by p.channel, p.status
                              limit 1) as first
         union all
        select next.location, next.channel, next.status
          from place s
         cross join lateral (select next_status.*
                               from ((select p.location, p.channel, p.status
                                        from order_places p
                                       where p.location = s.location and p.channel = s.channel and p.status > s.status
                                       order by p.status
                                       limit 1)
                                      union all
                                     (select p.location, p.channel, p.status
                                        from order_places p
                                       where p.location = s.location and p.channel > s.channel and $1::text is null
                                       order by p.channel, p.status
                                       limit 1)) as next_status
                              order by next_status.channel, next_status.status
                              limit 1) as next
), stream as materialized (
        select row_number() over () as number, s.channel, s.status, s.location, s.is_changed
          from (select state.channel, state.status, null::text as location, null::boolean as is_changed from state
                 union all
                select place.channel, place.status, place.location, half.is_changed
                  from place
                 cross join (values (false), (true)) as half (is_changed)) as s
         where ($1::text is null or s.channel = $1 collate "C") and ($2::text[] is null or s.status = any($2))

-- :part order_walk
-- In a with-list: the first orders of each stream after the last order seen.
), walked (stream, id, {time}) as materialized (
        select s.number, o.id, o.{time}
          from stream s
         cross join lateral (select orders.id, orders.{time}
                               from orders
                              where orders.channel = s.channel collate "C" and orders.status = s.status and ($7::timestamptz is null or (orders.{time}, orders.id) {beyond} ($7, $8::uuid)){since}
                              order by orders.{time}{down}, orders.id{down}
                              limit {depth}) as o
         where $6::text[] is null
         union all
        select s.number, p.order_id, p.placed_at
          from stream s
         cross join lateral (select order_places.order_id, order_places.placed_at
                               from order_places
                              where order_places.location = s.location collate "C" and order_places.channel = s.channel collate "C"
                                and order_places.status = s.status and not order_places.is_changed
                                and ($7::timestamptz is null or (order_places.placed_at, order_places.order_id) {beyond} ($7, $8::uuid)){from}
                              order by order_places.placed_at{down}, order_places.order_id{down}
                              limit {depth}) as p
         where $6::text[] is not null and not s.is_changed
         union all
        select s.number, p.order_id, p.{time}
          from stream s
         cross join lateral (select order_places.order_id, order_places.{time}
                               from order_places
                              where order_places.location = s.location collate "C" and order_places.channel = s.channel collate "C"
                                and order_places.status = s.status and order_places.is_changed
                                and ($7::timestamptz is null or (order_places.{time}, order_places.order_id) {beyond} ($7, $8::uuid)){since}
                              order by order_places.{time}{down}, order_places.order_id{down}
                              limit {depth}) as p
         where $6::text[] is not null and s.is_changed

-- :part order_list
-- A page of the merged streams.
with recursive not_asked as (
        select $3::text, $4::text, $5::text, $10::text, $11::text[]{unused}
-- :use order_streams
-- :use order_walk depth="$9::bigint"
)
select distinct w.id, w.{time} as sorted_by
  from walked w
 order by w.{time}{down}, w.id{down}
 limit $9::bigint

-- :part order_matching
-- The first named orders that match all filters, where {phone}. An index of the name leads, the rest filters.
select o.id, o.{time}
  from (select *
          from orders named
         where ($3::text is null or named.external_ref = $3) and ($4::text is null or named.order_number = $4)
           and ($10::text is null or lower(named.customer ->> 'email') = lower($10))
           and {phone}
           and ($7::timestamptz is null or (named.{time}, named.id) {beyond} ($7, $8::uuid)){since}
         order by named.{time}{down}, named.id{down}
        offset 0) as o
 where ($1::text is null or o.channel = $1) and ($2::text[] is null or o.status = any($2))
   and ($6::text[] is null
        or exists (select from order_places p where p.order_id = o.id and p.location = any($6 collate "C")))
   and ($5::text is null or position(lower($5) in order_words(o.customer, o.order_number, o.external_ref)) > 0
        or o.order_number = $13::text or phone_digits(o.customer ->> 'phone') = any($14::text[]))
 order by o.{time}{down}, o.id{down}
 limit $9::bigint

-- :part order_named
-- Orders that are named: by number, reference, e-mail address or phone number. Each spelling of a phone is one stream,
-- which the index holds in the order of the list.
select found.id, found.{time} as sorted_by
  from ((
-- :use order_matching phone="$11::text[] is null"
        )
         union all
        select called.id, called.{time}
          from unnest($11::text[]) as spelling (phone)
         cross join lateral (
-- :use order_matching phone="phone_digits(named.customer ->> 'phone') = spelling.phone"
                            ) as called) as found
 order by found.{time}{down}, found.id{down}
 limit $9::bigint

-- :part search_words
-- In a with-list: how frequent the words, and pieces of them, are among the newest orders and in the planner's statistics.
), newest as materialized (
        select s.words from order_search s order by s.order_id desc limit 100
), usual as materialized (
        select bound.words
          from pg_stats st
         cross join lateral unnest(st.histogram_bounds::text::text[]) as bound (words)
         where st.schemaname = current_schema() and st.tablename = 'order_search' and st.attname = 'words'
), habit as materialized (
        select count(*) as hits from usual u where position(lower($5::text) in u.words) > 0
), how_far as materialized (
        select case when count(*) >= 2 then least($15::bigint, greatest($16::bigint, 200 * $9::bigint / count(*)))
                    when (select h.hits from habit h) >= 2 then $15
                    else $16 end as depth
          from newest n
         where position(lower($5::text) in n.words) > 0
), piece as materialized (
        select substr(run.text, at.place, 6) as text, run.number, at.place,
               (select count(*) from newest n where position(substr(run.text, at.place, 6) in n.words) > 0)
               + (select count(*) from usual u where position(substr(run.text, at.place, 6) in u.words) > 0) as hits
          from regexp_split_to_table(lower($5::text), '[^[:alnum:]]+') with ordinality as run (text, number)
         cross join lateral generate_series(1, greatest(length(run.text) - 5, 1), 2) as at (place)
         where length(run.text) >= 3

-- :part search_spelled
-- In a with-list: orders with the words in another spelling, by the indexes of numbers and phones.
), spelled as materialized (
        select numbered.id, numbered.{time}
          from (select * from orders where orders.order_number = $13::text limit 1) as numbered
         where ($7::timestamptz is null or (numbered.{time}, numbered.id) {beyond} ($7, $8::uuid)){ofnumber}
         union
        select called.id, called.{time}
          from unnest($14::text[]) as spelling (phone)
         cross join lateral (select orders.id, orders.{time}
                               from orders
                              where phone_digits(orders.customer ->> 'phone') = spelling.phone
                                and ($7::timestamptz is null or (orders.{time}, orders.id) {beyond} ($7, $8::uuid)){since}
                             offset 0) as called

-- :part search_found
-- Whether a found order passes the other filters.
 where case when $6::text[] is not null
                 then (select true from order_places p
                        where p.order_id = found.id and p.location = any($6 collate "C")
                          and ($1::text is null or p.channel = $1 collate "C") and ($2::text[] is null or p.status = any($2)) limit 1)
            when $1::text is not null or $2::text[] is not null
                 then (select true from orders o
                        where o.id = found.id and ($1::text is null or o.channel = $1 collate "C")
                          and ($2::text[] is null or o.status = any($2)) limit 1)
            else true end

-- :name orders_page of listed_orders free
-- Newest first.
-- :use order_list time="placed_at" down=" desc" beyond="<" since="" from="" unused=", $12::timestamptz"

-- :name orders_named of listed_orders free
-- Newest first.
-- :use order_named time="placed_at" down=" desc" beyond="<" since=" and $12::timestamptz is null"

-- :name orders_search of listed_orders free
-- The search compares the first orders of each stream one by one: enough for a page when the words are frequent among the newest
-- orders ($15 a stream at most), $15 when they are frequent in the planner's statistics, else $16. If no page comes of it and a
-- stream goes on, trigrams lead to all orders with the words; for frequent words month by month, or week by week, until a page is full.
-- The search passes over months and weeks without orders.
-- Trigrams of nearly every order (of a domain, of a prefix) are slow to intersect, so the index looks up two pieces of the words: the
-- rarest of the newest orders and of the statistics. If these are frequent too, one trigram of each costs less than all of them.
-- The search compares orders that the job make_searchable has not come to one by one.
with recursive not_asked as (
        select $3::text, $4::text, $10::text, $11::text[], $12::timestamptz
-- :use search_words
), wanted as materialized (
        select coalesce((select left(p.text, case when p.hits < 20 then 6 else 3 end)
                           from piece p order by p.hits, p.number, p.place limit 1), whole.text) as first,
               coalesce((select left(p.text, case when p.hits < 20 then 6 else 3 end)
                           from piece p where length($5) > 8 or (select count(*) from piece) > 1
                          order by p.hits, p.number desc, p.place desc limit 1), whole.text) as last,
               (select min(p.hits) from piece p where length($5) > 8 or (select count(*) from piece) > 1) >= 20 as is_frequent
          from (select regexp_replace(lower($5::text), '([%_\\])', '\\\1', 'g') as text) as whole
), by_slices as materialized (
        select h.hits > 0 or w.is_frequent as are_used, case when h.hits < 10 then 2629800 else 604800 end as seconds
          from habit h cross join wanted w
-- :use order_streams
-- :use order_walk time="placed_at" down=" desc" beyond="<" since="" from="" depth="(select n.depth from how_far n)"
), due as materialized (
        select distinct unnest(d.orders) as order_id from order_search_due d where d.number >= 0
), edge as materialized (
        select max(ends.at) as at
          from (select min(w.placed_at) as at from walked w group by w.stream
                having count(*) >= (select n.depth from how_far n)) as ends
), near as materialized (
        select w.id, w.placed_at
          from (select distinct walked.id, walked.placed_at from walked) as w
         cross join lateral (select order_search.words from order_search where order_search.order_id = w.id limit 1) as s
         where w.placed_at >= coalesce((select e.at from edge e), '-infinity') and position(lower($5::text) in s.words) > 0
           and (w.id in (select d.order_id from due d)) is not true
), rest as materialized (
        select s.order_id as id, s.placed_at
          from order_search s
         where s.words like (select '%' || w.first || '%' from wanted w) and s.words like (select '%' || w.last || '%' from wanted w)
           and position(lower($5::text) in s.words) > 0 and ($7::timestamptz is null or (s.placed_at, s.order_id) < ($7, $8::uuid))
           and (s.order_id in (select d.order_id from due d)) is not true
           and (select e.at from edge e) is not null and (select count(*) from near) < $9::bigint and (select b.are_used from by_slices b) is not true
), step as materialized (
        select b.seconds, case when b.seconds = 604800 then -1 else 1 end as sign
          from by_slices b
         where b.are_used and (select e.at from edge e) is not null and (select count(*) from near) < $9::bigint
), slice (number, sign) as (
        select floor(extract(epoch from coalesce($7::timestamptz, (select max(w.placed_at) from walked w))) / step.seconds)::integer, step.sign
          from step
         union all
        select floor(extract(epoch from newest.at) / step.seconds)::integer, step.sign
          from slice
         cross join step
         cross join lateral (select max(ends.at) as at
                               from (select (select o.placed_at from orders o
                                              where o.channel = s.channel collate "C" and o.status = s.status
                                                and o.placed_at < to_timestamp(slice.number::bigint * step.seconds)
                                              order by o.placed_at desc limit 1) as at
                                       from stream s
                                      where $6::text[] is null
                                      union all
                                     select (select p.placed_at from order_places p
                                              where p.location = s.location collate "C" and p.channel = s.channel collate "C"
                                                and p.status = s.status and p.is_changed = s.is_changed
                                                and p.placed_at < to_timestamp(slice.number::bigint * step.seconds)
                                              order by p.placed_at desc limit 1)
                                       from stream s
                                      where $6::text[] is not null) as ends) as newest
         where newest.at is not null
), older as materialized (
        select found.id, found.placed_at
          from (select slice.number, s.id, s.placed_at
                  from slice
                 cross join lateral (select order_search.order_id as id, order_search.placed_at
                                       from order_search
                                      where order_search.slices @> array[slice.number * slice.sign]
                                        and order_search.words like (select '%' || w.first || '%' from wanted w)
                                        and order_search.words like (select '%' || w.last || '%' from wanted w)
                                        and position(lower($5::text) in order_search.words) > 0
                                        and ($7::timestamptz is null or (order_search.placed_at, order_search.order_id) < ($7, $8::uuid))
                                        and (order_search.order_id in (select d.order_id from due d)) is not true
                                      order by order_search.placed_at desc, order_search.order_id desc
                                     offset 0) as s
                offset 0) as found
        -- :use search_found
         limit $9::bigint
), fresh as materialized (
        select o.id, o.placed_at
          from due d
         cross join lateral (select * from orders where orders.id = d.order_id limit 1) as o
         where position(lower($5::text) in order_words(o.customer, o.order_number, o.external_ref)) > 0 and ($7::timestamptz is null or (o.placed_at, o.id) < ($7, $8::uuid))
-- :use search_spelled time="placed_at" beyond="<" since="" ofnumber=""
)
select found.id, found.placed_at as sorted_by
  from (select n.id, n.placed_at from near n
         union
        select r.id, r.placed_at from rest r
         union
        select l.id, l.placed_at from older l
         union
        select f.id, f.placed_at from fresh f
         union
        select s.id, s.placed_at from spelled s
         order by placed_at desc, id desc
        offset 0) as found
-- :use search_found
 order by found.placed_at desc, found.id desc
 limit $9::bigint

-- :name orders_changed of listed_orders free
-- In the order of their last change, for keeping a copy.
-- :use order_list time="updated_at" down="" beyond=">" since=" and updated_at >= $12::timestamptz" from=" and placed_at >= $12::timestamptz" unused=""

-- :name orders_named_changed of listed_orders free
-- In the order of their last change.
-- :use order_named time="updated_at" down="" beyond=">" since=" and updated_at >= $12::timestamptz"

-- :name orders_search_changed of listed_orders free
-- The same in the order of their last change.
with recursive not_asked as (
        select $3::text, $4::text, $10::text, $11::text[]
-- :use search_words
), wanted as materialized (
        select coalesce((select p.text from piece p order by p.hits, p.number, p.place limit 1), whole.text) as first,
               coalesce((select p.text from piece p where length($5) > 8 or (select count(*) from piece) > 1
                          order by p.hits, p.number desc, p.place desc limit 1), whole.text) as last
          from (select regexp_replace(lower($5::text), '([%_\\])', '\\\1', 'g') as text) as whole
-- :use order_streams
-- :use order_walk time="updated_at" down="" beyond=">" since=" and updated_at >= $12::timestamptz" from=" and placed_at >= $12::timestamptz" depth="(select n.depth from how_far n)"
), due as materialized (
        select distinct unnest(d.orders) as order_id from order_search_due d where d.number >= 0
), edge as materialized (
        select min(ends.at) as at
          from (select max(w.updated_at) as at from walked w group by w.stream
                having count(*) >= (select n.depth from how_far n)) as ends
), near as materialized (
        select w.id, w.updated_at
          from (select distinct walked.id, walked.updated_at from walked) as w
         cross join lateral (select order_search.words from order_search where order_search.order_id = w.id limit 1) as s
         where w.updated_at <= coalesce((select e.at from edge e), 'infinity') and position(lower($5::text) in s.words) > 0
           and (w.id in (select d.order_id from due d)) is not true
), rest as materialized (
        select o.id, o.updated_at
          from order_search s
         cross join lateral (select * from orders where orders.id = s.order_id limit 1) as o
         where s.words like (select '%' || w.first || '%' from wanted w) and s.words like (select '%' || w.last || '%' from wanted w)
           and position(lower($5::text) in s.words) > 0 and ($7::timestamptz is null or (o.updated_at, o.id) > ($7, $8::uuid)) and o.updated_at >= $12::timestamptz
           and (s.order_id in (select d.order_id from due d)) is not true
           and (select e.at from edge e) is not null and (select count(*) from near) < $9::bigint
), fresh as materialized (
        select o.id, o.updated_at
          from due d
         cross join lateral (select * from orders where orders.id = d.order_id limit 1) as o
         where position(lower($5::text) in order_words(o.customer, o.order_number, o.external_ref)) > 0 and ($7::timestamptz is null or (o.updated_at, o.id) > ($7, $8::uuid)) and o.updated_at >= $12::timestamptz
-- :use search_spelled time="updated_at" beyond=">" since=" and orders.updated_at >= $12::timestamptz" ofnumber=" and numbered.updated_at >= $12::timestamptz"
)
select found.id, found.updated_at as sorted_by
  from (select n.id, n.updated_at from near n
         union
        select r.id, r.updated_at from rest r
         union
        select f.id, f.updated_at from fresh f
         union
        select s.id, s.updated_at from spelled s
         order by updated_at, id
        offset 0) as found
-- :use search_found
 order by found.updated_at, found.id
 limit $9::bigint
