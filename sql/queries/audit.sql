-- Invariants of stock and promises. Each statement reads one range of keys in one snapshot and returns its
-- findings: the subject, the broken rule, the stated value, and the proven one. A row without a subject has the number of
-- rows read.

-- :name audit_next_location of audit_bounds free
-- The end of the range that begins after $1: $2 locations further, or null at the last one.
select l.code from locations l where l.code > $1::text order by l.code offset $2::bigint - 1 limit 1

-- :name audit_next_order of audit_bounds free
select o.id from orders o where o.id > $1::uuid order by o.id offset $2::bigint - 1 limit 1

-- :name audit_next_reservation of audit_bounds free
select r.id from reservations r where r.id > $1::uuid order by r.id offset $2::bigint - 1 limit 1

-- :name audit_stock of findings free
-- The figures of each row against its ledger and against the documents that hold its units. A new kind of holder joins
-- `promised`. Locations after $1, up to $2 (null: to the end).
with figures as (
        select location, sku, on_hand, unsellable, reserved, movements
          from stock
         where location > $1::text and ($2::text is null or location <= $2::text)
), moved as (
        select location, sku, sum(on_hand_change)::bigint as on_hand_moved, sum(unsellable_change)::bigint as unsellable_moved,
               count(*) as moves, max(number) as last_number
          from ledger
         where location > $1::text and ($2::text is null or location <= $2::text)
         group by location, sku
), promised as (
        select location, sku, sum(units)::bigint as promised
          from (select location, sku, quantity as units from reservation_lines where held
                 union all
                select location, sku, reserved from fulfillment_lines where reserved > 0) as promise
         where location > $1::text and ($2::text is null or location <= $2::text)
         group by location, sku
)
select location || '/' || sku as subject, finding.rule, finding.stated, finding.proved
  from figures full join moved using (location, sku) full join promised using (location, sku)
 cross join lateral (values ('on_hand', coalesce(on_hand, 0), coalesce(on_hand_moved, 0)),
                            ('unsellable', coalesce(unsellable, 0), coalesce(unsellable_moved, 0)),
                            ('reserved', coalesce(reserved, 0), coalesce(promised, 0)),
                            ('movements', coalesce(movements, 0), coalesce(moves, 0)),
                            ('last_movement', coalesce(last_number, 0), coalesce(moves, 0)),
                            ('oversold', greatest(reserved + unsellable - on_hand, 0), 0))
            as finding (rule, stated, proved)
 where finding.stated <> finding.proved
 union all
select null, 'stock_rows', count(*), null from figures

-- :name audit_ledger of findings free
-- Balances are running sums, and numbers run from 1 without a gap. Locations after $1, up to $2.
with movements as (
        select location, sku, number, on_hand_after, unsellable_after, row_number() over movement as place,
               (sum(on_hand_change) over movement)::bigint as on_hand, (sum(unsellable_change) over movement)::bigint as unsellable
          from ledger
         where location > $1::text and ($2::text is null or location <= $2::text)
        window movement as (partition by location, sku order by number)
)
select location || '/' || sku || ' movement ' || number as subject, finding.rule, finding.stated, finding.proved
  from movements
 cross join lateral (values ('number', number, place),
                            ('on_hand_after', on_hand_after, on_hand),
                            ('unsellable_after', unsellable_after, unsellable)) as finding (rule, stated, proved)
 where finding.stated <> finding.proved
 union all
select null, 'movements', count(*), null from movements

-- :name audit_reservations of findings free
-- Each reservation agrees with its lines. Ids after $1, up to $2 (null: to the end).
with headers as (
        select id, location, status, expires_at, order_id
          from reservations
         where id > $1::uuid and ($2::uuid is null or id <= $2::uuid)
), lines as (
        select reservation_id as id, location as line_location, held, expires_at as line_expires_at
          from reservation_lines
         where reservation_id > $1::uuid and ($2::uuid is null or reservation_id <= $2::uuid)
), both_sides as (
        select id, h.location, h.status, h.expires_at, h.order_id, count(l.id) as n, count(*) filter (where l.held) as n_held,
               count(*) filter (where l.line_location <> h.location) as n_elsewhere,
               count(*) filter (where l.held and l.line_expires_at <> h.expires_at) as n_other_time
          from headers h full join lines l using (id)
         group by id, h.location, h.status, h.expires_at, h.order_id
)
select 'reservation ' || id as subject, finding.rule, finding.stated, finding.proved
  from both_sides
 cross join lateral (values ('lines_without_reservation', case when status is null then n else 0 end, 0),
                            ('no_lines', case when status is not null and n = 0 then 0 else 1 end, 1),
                            ('held_though_over', case when status <> 'active' then n_held else 0 end, 0),
                            ('let_go_too_early',
                             case when status = 'active' and expires_at > clock_timestamp() then n - n_held else 0 end, 0),
                            ('lines_elsewhere', n_elsewhere, 0),
                            ('lines_expire_otherwise', n_other_time, 0),
                            ('claim_without_order', case when (status = 'claimed') <> (order_id is not null) then 1 else 0 end, 0))
            as finding (rule, stated, proved)
 where finding.stated <> finding.proved
 union all
select null, 'reservations', count(*), null from headers

-- :name audit_orders of findings free
-- The units of an order line equal those of its fulfillments; a closed one holds none. Orders after $1, up to $2.
with lines as (
        select order_id, line, quantity, cancelled, fulfilled
          from order_lines
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
), allocated as (
        select l.order_id, l.line, sum(l.quantity - l.resourced - l.moved)::bigint as allocated,
               sum(l.short - l.resourced + l.cancelled - l.moved)::bigint as lost, sum(l.fulfilled)::bigint as gone,
               sum(l.resourced)::bigint as resourced,
               coalesce(sum(l.quantity) filter (where f.replaces is not null), 0)::bigint as taken_over,
               coalesce(sum(l.reserved) filter (where f.status is null
                        or f.status not in ('allocated', 'picking', 'ready', 'packed')), 0)::bigint as held_though_over
          from fulfillment_lines l left join fulfillments f on f.id = l.fulfillment_id
         where l.order_id > $1::uuid and ($2::uuid is null or l.order_id <= $2::uuid)
         group by l.order_id, l.line
)
select 'order ' || order_id || ' line ' || line as subject, finding.rule, finding.stated, finding.proved
  from lines full join allocated using (order_id, line)
 cross join lateral (values ('allocated', coalesce(quantity, 0), coalesce(allocated, 0)),
                            ('cancelled', coalesce(cancelled, 0), coalesce(lost, 0)),
                            ('fulfilled', coalesce(fulfilled, 0), coalesce(gone, 0)),
                            ('resourced', coalesce(resourced, 0), coalesce(taken_over, 0)),
                            ('held_by_what_is_over', coalesce(held_though_over, 0), 0)) as finding (rule, stated, proved)
 where finding.stated <> finding.proved
 union all
select null, 'order_lines', count(*), null from lines

-- :name audit_open of findings free
-- An order is open for the first reason that its documents give (order_open_reason of the orders room), and counts the returns that
-- await goods. Orders after $1, up to $2.
-- Grouped, not joined: few documents keep orders open, and a plan for few is slow for all.
with facts as (
        select id, 'order' as fact, status, refund_due, open_for, returns_awaited
          from orders
         where id > $1::uuid and ($2::uuid is null or id <= $2::uuid)
         union all
        select order_id, 'units', null, null, null, null
          from fulfillments
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
           and status not in ('handed_over', 'shipped', 'delivered', 'rejected', 'cancelled', 'expired')
         union all
        select order_id, 'goods', null, null, null, null
          from returns
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid) and status not in ('received', 'lost', 'cancelled')
         union all
        select order_id, 'capture', null, null, null, null
          from payments
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid) and capture_due > 0
         union all
        select order_id, 'refund', null, null, null, null
          from refunds
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid) and status not in ('settled', 'failed')
), proved as (
        select id, max(open_for) as open_for, max(returns_awaited) as returns_awaited, count(*) filter (where fact = 'goods') as awaited,
               case when bool_or(fact = 'units') then 'units'
                    when max(status) not in ('fulfilled', 'cancelled') then 'unfulfilled'
                    when bool_or(fact = 'goods') then 'goods'
                    when bool_or(fact = 'capture') then 'capture'
                    when max(refund_due) <> 0 then 'refund_due'
                    when bool_or(fact = 'refund') then 'refund' end as reason
          from facts
         group by id
)
select 'order ' || id as subject, finding.rule, finding.stated, finding.proved
  from proved
 cross join lateral (values ('open_otherwise', case when open_for is distinct from reason then 1::bigint else 0 end, 0::bigint),
                            ('returns_awaited', returns_awaited, awaited)) as finding (rule, stated, proved)
 where finding.stated <> finding.proved

-- :name audit_slots of findings free
-- The taken places of each slot equal the fulfillments that name it; closed ones name none. Locations after $1, up to $2.
with rows as (
        select location, starts_at, booked
          from slots
         where location > $1::text and ($2::text is null or location <= $2::text)
), named as (
        select location, slot_at as starts_at, count(*) as places,
               count(*) filter (where status in ('rejected', 'cancelled', 'expired')) as over
          from fulfillments
         where slot_at is not null and location > $1::text and ($2::text is null or location <= $2::text)
         group by location, slot_at
)
select 'slot ' || location || ' ' || to_char(starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') as subject,
       finding.rule, finding.stated, finding.proved
  from rows full join named using (location, starts_at)
 cross join lateral (values ('booked', coalesce(booked, 0), coalesce(places, 0)),
                            ('booked_by_what_is_over', coalesce(over, 0), 0)) as finding (rule, stated, proved)
 where finding.stated <> finding.proved
 union all
select null, 'slots', count(*), null from rows

-- :name audit_returns of findings free
-- The returned units of an order line equal the accepted units of its returns. Together with awaited units they never exceed
-- the fulfilled ones. Orders after $1, up to $2.
with lines as (
        select order_id, line, fulfilled, returned
          from order_lines
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
), back as (
        select order_id, order_line as line, count(*) as n,
               coalesce(sum(quantity) filter (where acceptance = 'accepted'), 0)::bigint as accepted,
               coalesce(sum(quantity) filter (where reception = 'awaiting'), 0)::bigint as awaited
          from return_lines
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
         group by order_id, order_line
)
select 'order ' || order_id || ' line ' || line as subject, finding.rule, finding.stated, finding.proved
  from lines full join back using (order_id, line)
 cross join lateral (values ('returned', coalesce(returned, 0), coalesce(accepted, 0)),
                            ('over_returned', greatest(coalesce(accepted, 0) + coalesce(awaited, 0) - coalesce(fulfilled, 0), 0), 0))
            as finding (rule, stated, proved)
 where finding.stated <> finding.proved
 union all
select null, 'return_lines', coalesce(sum(n), 0)::bigint, null from back

-- :name audit_return_buckets of findings free
-- The bucket of returned units equals the sum of their movements. Locations after $1, up to $2.
with counted as (
        select l.location, l.sku, l.return_id,
               coalesce(sum(l.quantity) filter (where l.bucket in ('sellable', 'unsellable')), 0)::bigint as on_hand,
               coalesce(sum(l.quantity) filter (where l.bucket = 'unsellable'), 0)::bigint as unsellable
          from return_lines l
         where l.location > $1::text and ($2::text is null or l.location <= $2::text)
         group by l.location, l.sku, l.return_id
), moved as (
        select m.location, m.sku, substr(m.document, 8)::uuid as return_id, sum(m.on_hand_change)::bigint as on_hand,
               sum(m.unsellable_change)::bigint as unsellable
          from ledger m
         where m.location > $1::text and ($2::text is null or m.location <= $2::text) and m.document ^@ 'return/'
         group by m.location, m.sku, m.document
)
select 'return ' || return_id || ' at ' || location || '/' || sku as subject, finding.rule, finding.stated, finding.proved
  from counted full join moved using (location, sku, return_id)
 cross join lateral (values ('returned_on_hand', coalesce(counted.on_hand, 0), coalesce(moved.on_hand, 0)),
                            ('returned_unsellable', coalesce(counted.unsellable, 0), coalesce(moved.unsellable, 0)))
            as finding (rule, stated, proved)
 where finding.stated <> finding.proved

-- :name audit_money of findings free
-- The credited amount follows from the lines (units settled at a change keep their value), up to the total; the paid and
-- refunded amounts from their rows, the due amount from all of these. Orders after $1, up to $2.
with headers as (
        select id, status, shipping, tax, tax_included, total, credited, adjusted, paid, refunded, refund_due
          from orders
         where id > $1::uuid and ($2::uuid is null or id <= $2::uuid)
), valued as (
        select order_id as id, sum(value)::bigint as worth, sum(tax)::bigint as tax,
               sum(settled_value + case when quantity > settled
                   then div((value - settled_value)::numeric * (cancelled + returned - settled), (quantity - settled)::numeric)
                   else 0 end)::bigint as given_up
          from order_lines
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
         group by order_id
), taken as (
        select order_id as id, sum(captured)::bigint as captured, sum(authorized)::bigint as authorized,
               sum(refunded)::bigint as refunded_to, count(*) as n
          from payments
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
         group by order_id
), given_back as (
        select order_id as id, coalesce(sum(amount) filter (where status <> 'failed'), 0)::bigint as amount,
               coalesce(sum(amount) filter (where status <> 'failed' and payment_id is not null), 0)::bigint as to_payments,
               coalesce(sum(tax) filter (where status <> 'failed'), 0)::bigint as tax, count(*) as n
          from refunds
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
         group by order_id
)
select 'order ' || id as subject, finding.rule, finding.stated, finding.proved
  from headers h full join valued v using (id) full join taken t using (id) full join given_back b using (id)
 cross join lateral (values ('lines_of_no_order', case when h.status is null then 1 else 0 end, 0),
                            ('total', coalesce(h.total, 0), coalesce(v.worth, 0) + coalesce(h.shipping, 0)),
                            ('credited', coalesce(h.credited, 0),
                             greatest(least(coalesce(v.given_up, 0) + case when h.status = 'cancelled' then h.shipping else 0 end
                                            + coalesce(h.adjusted, 0), h.total), 0)),
                            ('credited_beyond_total', greatest(h.credited - h.total, 0), 0),
                            ('paid', coalesce(h.paid, 0), coalesce(t.captured, 0)),
                            ('refunded', coalesce(h.refunded, 0), coalesce(b.amount, 0)),
                            ('refund_due', coalesce(h.refund_due, 0),
                             greatest(coalesce(t.captured, 0) - coalesce(b.amount, 0) - (h.total - h.credited), 0)),
                            ('tax_of_lines', case when h.tax_included then greatest(coalesce(v.tax, 0), h.tax) else coalesce(v.tax, 0) end,
                             coalesce(h.tax, 0)),
                            ('refunded_tax_beyond_tax', greatest(coalesce(b.tax, 0) - coalesce(h.tax, 0), 0), 0),
                            ('refunded_beyond_authorized', greatest(coalesce(b.amount, 0) - coalesce(t.authorized, 0), 0), 0))
            as finding (rule, stated, proved)
 where finding.stated <> finding.proved
 union all
select null, 'payments', coalesce(sum(n), 0)::bigint, null from taken
 union all
select null, 'refunds', coalesce(sum(n), 0)::bigint, null from given_back

-- :name audit_payments of findings free
-- Each payment agrees with its refunds, and its state with its amounts. Orders after $1, up to $2.
with given_back as (
        select payment_id, sum(amount)::bigint as amount
          from refunds
         where payment_id is not null and status <> 'failed'
           and order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
         group by payment_id
), paid as (
        select * from payments where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
)
select 'payment ' || coalesce(p.id, b.payment_id) as subject, finding.rule, finding.stated, finding.proved
  from paid p full join given_back b on b.payment_id = p.id
 cross join lateral (values ('refunded_to', coalesce(p.refunded, 0), coalesce(b.amount, 0)),
                            ('captured_though_not', case when p.status in ('pending', 'authorized', 'voided', 'failed')
                             then p.captured else 0 end, 0),
                            ('held_by_closed_payment', case when p.status in ('captured', 'voided', 'failed')
                             then p.authorized - p.captured - p.voided - p.failed - p.void_due else 0 end, 0),
                            ('voided_though_nobody_told', case when exists (select from payment_events e
                              where e.payment_id = p.id and e.type = 'voided') then 0 else p.voided end, 0),
                            ('failed_though_nobody_told', case when exists (select from payment_events e
                              where e.payment_id = p.id and e.type = 'failed') then 0 else p.failed end, 0))
            as finding (rule, stated, proved)
 where finding.stated <> finding.proved

-- :name audit_lists of findings free
-- What lists and searches repeat of an order is as the order has it. Orders after $1, up to $2.
with documents as (
        select id, channel, status, placed_at, updated_at, customer, order_number, external_ref
          from orders
         where id > $1::uuid and ($2::uuid is null or id <= $2::uuid)
), touched as (
        select order_id, location from fulfillments where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
         union
        select order_id, location from returns where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
         union
        select order_id, location from return_lines
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid) and location is not null
), listed as (
        select order_id, location, channel, status, placed_at, updated_at
          from order_places
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
), proved as (
        select t.order_id, t.location, d.channel, d.status, d.placed_at, d.updated_at
          from touched t join documents d on d.id = t.order_id
), searched as (
        select order_id, words
          from order_search
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
), due as (
        select distinct unnest(orders) as order_id from order_search_due
)
select 'order ' || coalesce(l.order_id, p.order_id) as subject, 'listed_otherwise' as rule, count(*) as stated, 0::bigint as proved
  from listed l full join proved p using (order_id, location)
 where (l.channel, l.status, l.placed_at, l.updated_at) is distinct from (p.channel, p.status, p.placed_at, p.updated_at)
 group by coalesce(l.order_id, p.order_id)
 union all
select 'order ' || coalesce(d.id, s.order_id), 'not_searchable', 1, 0
  from documents d full join searched s on s.order_id = d.id
 where s.words is distinct from order_words(d.customer, d.order_number, d.external_ref)
   and not exists (select from due where due.order_id = coalesce(d.id, s.order_id))

-- :name audit_told of findings free
-- No line, payment or refund changes without an event of its order. Events name the units that were cancelled and that left; a payment
-- and a refund last changed at the moment of an event. Passed over: orders with pruned events, orders older than the event that names
-- cancelled units (migration 18), and imported ones. Orders after $1, up to $2.
with told as materialized (
        select order_id, type, occurred_at, data
          from events
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
), whole as materialized (
        select t.order_id
          from told t join orders o on o.id = t.order_id
         where o.placed_at > (select applied_at from schema_migration where version = 18)
         group by t.order_id
        having bool_or(t.type = 'order.created') and not bool_or(t.data ->> 'source' is not distinct from 'import')
), named as (
        select t.order_id, (named.line ->> 'order_line_id')::uuid as id,
               coalesce(sum((named.line ->> 'quantity')::bigint) filter (where t.type = 'order.units_cancelled'), 0)::bigint
               - coalesce(sum((named.line ->> 'quantity')::bigint) filter (where t.type = 'fulfillment.reinstated'), 0)::bigint as cancelled,
               coalesce(sum((named.line ->> 'quantity')::bigint) filter (where t.type not in ('order.units_cancelled', 'fulfillment.reinstated')), 0)::bigint as gone
          from told t cross join lateral jsonb_array_elements(t.data -> 'lines') as named (line)
         where t.type in ('order.units_cancelled', 'fulfillment.reinstated', 'fulfillment.handed_over', 'fulfillment.partially_handed_over',
                          'fulfillment.shipped', 'fulfillment.partially_shipped')
           and t.order_id in (select order_id from whole)
         group by t.order_id, (named.line ->> 'order_line_id')::uuid
), money as (
        select 'payment ' || id as subject, order_id, updated_at
          from payments
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
         union all
        select 'refund ' || id, order_id, updated_at
          from refunds
         where order_id > $1::uuid and ($2::uuid is null or order_id <= $2::uuid)
)
select 'order ' || l.order_id || ' line ' || l.line as subject, finding.rule, finding.stated, finding.proved
  from order_lines l join whole using (order_id) left join named n on n.order_id = l.order_id and n.id = l.id
 cross join lateral (values ('cancelled_untold', l.cancelled, coalesce(n.cancelled, 0)),
                            ('fulfilled_untold', l.fulfilled, coalesce(n.gone, 0))) as finding (rule, stated, proved)
 where l.order_id > $1::uuid and ($2::uuid is null or l.order_id <= $2::uuid) and finding.stated <> finding.proved
 union all
select m.subject, 'changed_untold', 1, 0
  from money m join whole using (order_id)
 where not exists (select from events e where e.order_id = m.order_id and e.occurred_at = m.updated_at)
 union all
select null, 'events', count(*), null from told
