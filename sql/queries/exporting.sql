-- Exports: one statement for each kind, run as COPY (src/db/copy.h), which has no parameters. They read settings of their transaction,
-- which export_begin sets. Each has an order, so that equal data gives equal bytes. Columns are those that an import of the kind reads.
-- e'\x3b' is a semicolon, which ends a statement for sql/embed.py.

-- :name export_begin free
-- $1 since, $2 until, $3 locations, $4 channel, null for all; $5 the factor from minor to major units for each currency without
-- hundredths, as JSON. The reader may be slower than that of a trip. Returns the time of the snapshot, and the first location and the
-- channel that do not exist.
select statement_timestamp() as begun,
       (select wanted.code
          from unnest($3::text[]) as wanted (code)
         where not exists (select from locations l where l.code = wanted.code collate "C")
         limit 1) as unknown_location,
       (select $4::text where not exists (select from channels c where c.code = $4 collate "C")) as unknown_channel,
       set_config('holdfast.since', coalesce($1::timestamptz, '-infinity')::text, true),
       set_config('holdfast.until', coalesce($2::timestamptz, 'infinity')::text, true),
       set_config('holdfast.locations', coalesce($3::text[]::text, ''), true),
       set_config('holdfast.channel', coalesce($4::text, ''), true),
       set_config('holdfast.units', $5::text, true),
       set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true), set_config('extra_float_digits', '1', true),
       set_config('tcp_user_timeout', '60000', true)

-- :part major
-- The amount in major units, with as many decimals as its currency has.
({amount} * coalesce(((select current_setting('holdfast.units')::jsonb) -> {currency})::numeric, 0.01))::text

-- :part places
-- The locations asked for.
(select l.* from locations l
  where (select current_setting('holdfast.locations')) = ''
     or l.code = any ((select nullif(current_setting('holdfast.locations'), '')::text[]) collate "C"))

-- :part span
-- Seconds as an ISO 8601 duration.
case when {seconds} = 0 then 'PT0S'
     when {seconds} % 86400 = 0 then 'P' || {seconds} / 86400 || 'D'
     when {seconds} % 3600 = 0 then 'PT' || {seconds} / 3600 || 'H'
     when {seconds} % 60 = 0 then 'PT' || {seconds} / 60 || 'M'
     else 'PT' || {seconds} || 'S' end

-- :part moment
to_char({time}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')

-- :part since
(select current_setting('holdfast.since')::timestamptz)

-- :part until
(select current_setting('holdfast.until')::timestamptz)

-- :part chosen_channels
(select c.code from channels c
  where (select current_setting('holdfast.channel')) = '' or c.code = (select current_setting('holdfast.channel')) collate "C")

-- :part at_all_locations
(select current_setting('holdfast.locations')) = ''

-- :part named_locations
unnest((select nullif(current_setting('holdfast.locations'), '')::text[]))

-- :part order_states
(values ('open'), ('partially_fulfilled'), ('fulfilled'), ('cancelled'))

-- :part chosen_orders
-- The orders of the chosen channel whose {time} is in the chosen span, by the index of each state and channel; and those among them that
-- touch a chosen location. Only one of the two has rows.
(select o.*
   from
        -- :use chosen_channels
        as channel
  cross join
        -- :use order_states
        as state (status)
  cross join lateral (select * from orders o
                       where o.status = state.status and o.channel = channel.code
                         and o.{time} >=
                             -- :use since
                         and o.{time} < {until}
                      offset 0) as o
  where
        -- :use at_all_locations
  union all
 select o.*
   from (select distinct p.order_id
           from
                -- :use named_locations
                as named (location)
          cross join
                -- :use chosen_channels
                as channel
          cross join
                -- :use order_states
                as state (status)
          cross join lateral (select p.order_id from order_places p
                               where p.location = named.location collate "C" and p.channel = channel.code and p.status = state.status
                                 and p.is_changed in (false, true)
                              offset 0) as p) as p
   join orders o on o.id = p.order_id and o.{time} >=
        -- :use since
        and o.{time} < {until})

-- :part amounts
-- Minor to major units of the currency.
cross join lateral (select coalesce(((select current_setting('holdfast.units')::jsonb) -> o.currency)::numeric, 0.01) as unit offset 0) as major

-- :part order_facts
o.order_number, o.channel, o.external_ref, o.currency

-- :name export_locations free
select l.code, l.name, l.kind, l.latitude, l.longitude, l.time_zone, l.country,
       nullif(array_to_string(l.capabilities, e'\x3b'), '') as capabilities,
       -- :use span seconds="l.lead_time_s"
       as lead_time,
       -- :use span seconds="l.hold_for_s"
       as hold_for,
       (select string_agg(format('%s %s-%s', o.opening ->> 'day', o.opening ->> 'opens', o.opening ->> 'closes'), e'\x3b ' order by o.place)
          from jsonb_array_elements(l.opening_hours) with ordinality as o (opening, place)) as opening_hours,
       (select string_agg(concat_ws(' ', c.closure ->> 'date', (c.closure ->> 'opens') || '-' || (c.closure ->> 'closes')), e'\x3b '
                          order by c.place)
          from jsonb_array_elements(l.closures) with ordinality as c (closure, place)) as closures,
       (select string_agg(format('%s %s-%s x %s', s.slot ->> 'day', s.slot ->> 'from', s.slot ->> 'to', s.slot ->> 'capacity'), e'\x3b '
                          order by s.place)
          from jsonb_array_elements(l.slots) with ordinality as s (slot, place)) as slots
  from
       -- :use places
       as l
 order by l.code

-- :name export_products free
select p.sku, p.title, p.gtin,
       -- :use major amount="p.price_amount" currency="p.price_currency"
       as price, p.price_currency as currency, nullif(p.description, '') as description, nullif(p.image_url, '') as image_url
  from products p
 order by p.sku

-- :name export_stock free
select l.code as location, s.sku, s.on_hand
  from
       -- :use places
       as l
 cross join lateral (select s.sku, s.on_hand from stock s where s.location = l.code order by s.sku offset 0) as s
 order by l.code, s.sku

-- :name export_listings free
select l.channel, l.sku, l.title,
       -- :use major amount="l.price_amount" currency="l.price_currency"
       as price, l.price_currency as currency, l.external_sku, l.published
  from
       -- :use chosen_channels
       as c
 cross join lateral (select * from listings l where l.channel = c.code order by l.sku offset 0) as l
 order by l.channel, l.sku

-- :name export_ledger free
-- By time: the movements of one row keep their order.
select
       -- :use moment time="l.recorded_at"
       as recorded_at, l.location, l.sku, l.number, l.reason, l.on_hand_change, l.unsellable_change, l.on_hand_after, l.unsellable_after,
       l.document, l.reference, l.actor
  from ledger l
 where l.recorded_at >=
       -- :use since
   and l.recorded_at <
       -- :use until
   and (
       -- :use at_all_locations
        or l.location = any ((select nullif(current_setting('holdfast.locations'), '')::text[]) collate "C"))
 order by l.recorded_at, l.location, l.sku, l.number

-- :name export_orders free
-- A row a line, as an import reads it. Amounts of the order stand on its first line alone, so that a column adds up.
select o.external_ref as "InvoiceNo", l.sku as "StockCode", l.title as "Description", l.quantity as "Quantity",
       -- :use moment time="o.placed_at"
       as "InvoiceDate", (l.unit_price * major.unit)::text as "UnitPrice", o.customer ->> 'customer_id' as "CustomerID",
       coalesce(o.ship_to ->> 'country', (select e.data ->> 'country' from events e
                                           where e.order_id = o.id and e.type = 'order.created' limit 1)) as "Country",
       o.currency, o.customer ->> 'name' as name, o.customer ->> 'email' as email, o.customer ->> 'phone' as phone,
       o.ship_to ->> 'line1' as address1, o.ship_to ->> 'line2' as address2, o.ship_to ->> 'city' as city,
       o.ship_to ->> 'postal_code' as postal_code,
       (coalesce(case when o.discount > 0 then (select sum(d.amount) from order_discounts d where d.order_id = o.id and d.line = l.line) end, 0)
        * major.unit)::text as line_discount,
       case when l.line = 0 then
           (coalesce(case when o.discount > 0 then (select sum(d.amount) from order_discounts d where d.order_id = o.id and d.line is null) end, 0)
            * major.unit)::text end as discount,
       case when l.line = 0 then (o.shipping * major.unit)::text end as shipping,
       case when l.line = 0 then (o.tax * major.unit)::text end as tax,
       case when l.line = 0 then o.tax_included end as tax_included,
       case when l.line = 0 then (o.total * major.unit)::text end as total,
       case when l.line = 0 then o.payment_status end as payment,
       case when l.line = 0 then (o.paid * major.unit)::text end as paid,
       case when l.line = 0 then (o.refunded * major.unit)::text end as refunded,
       l.fulfilled as fulfilled_quantity,
       case when o.status = 'cancelled' then
       -- :use moment time="o.updated_at"
       end as cancelled_at,
       o.channel, o.order_number, o.status
  from
       -- :use chosen_orders time="placed_at" until="(select current_setting('holdfast.until')::timestamptz)"
       as o
 -- :use amounts
 cross join lateral (select * from order_lines l where l.order_id = o.id order by l.line offset 0) as l
 order by o.placed_at, o.id, l.line

-- :name export_order_lines free
select
       -- :use order_facts
       ,
       -- :use moment time="o.placed_at"
       as placed_at, o.status as order_status, l.line, l.id as order_line_id, l.sku, l.title, l.quantity, l.cancelled, l.fulfilled, l.returned,
       (l.unit_price * major.unit)::text as unit_price, (l.value * major.unit)::text as value, (l.tax * major.unit)::text as tax,
       (l.cancelled_value * major.unit)::text as cancelled_value, (l.cancelled_tax * major.unit)::text as cancelled_tax
  from
       -- :use chosen_orders time="placed_at" until="(select current_setting('holdfast.until')::timestamptz)"
       as o
 -- :use amounts
 cross join lateral (select * from order_lines l where l.order_id = o.id order by l.line offset 0) as l
 order by o.placed_at, o.id, l.line

-- :name export_payments free
-- An order changes whenever it gets a payment, so orders that have not changed since then have none. So have refunds.
select p.id as payment_id,
       -- :use order_facts
       , p.number,
       -- :use moment time="p.created_at"
       as created_at,
       -- :use moment time="p.updated_at"
       as updated_at, p.provider, p.reference, p.status, (p.amount * major.unit)::text as amount,
       (p.authorized * major.unit)::text as authorized, (p.captured * major.unit)::text as captured,
       (p.capture_due * major.unit)::text as capture_due, (p.voided * major.unit)::text as voided, (p.failed * major.unit)::text as failed,
       (p.refunded * major.unit)::text as refunded
  from
       -- :use chosen_orders time="updated_at" until="'infinity'::timestamptz"
       as o
 -- :use amounts
 cross join lateral (select * from payments p where p.order_id = o.id order by p.number offset 0) as p
 where p.created_at >=
       -- :use since
   and p.created_at <
       -- :use until
 order by p.created_at, p.id

-- :name export_refunds free
select r.id as refund_id,
       -- :use order_facts
       , r.number,
       -- :use moment time="r.created_at"
       as created_at,
       -- :use moment time="r.updated_at"
       as updated_at, r.status, r.destination, r.payment_id, paid.provider, r.return_id, back.return_number, r.reason, r.reference,
       (r.amount * major.unit)::text as amount, (r.tax * major.unit)::text as tax
  from
       -- :use chosen_orders time="updated_at" until="'infinity'::timestamptz"
       as o
 -- :use amounts
 cross join lateral (select * from refunds r where r.order_id = o.id order by r.number offset 0) as r
  left join payments paid on paid.id = r.payment_id
  left join returns back on back.id = r.return_id
 where r.created_at >=
       -- :use since
   and r.created_at <
       -- :use until
 order by r.created_at, r.id

-- :name export_returns free
-- A row for each line of a return.
select b.return_number, o.order_number, b.channel, o.external_ref, b.location, b.status,
       -- :use moment time="b.created_at"
       as created_at, l.line, l.sku, l.quantity, l.reason, l.reception, l.acceptance, l.condition, l.disposition,
       -- :use moment time="l.received_at"
       as received_at, o.currency, (l.value * major.unit)::text as value, (l.fee * major.unit)::text as fee,
       (l.refund * major.unit)::text as refund, (l.tax * major.unit)::text as tax, l.id as return_line_id
  from
       -- :use chosen_channels
       as channel
 cross join (values ('authorized'), ('partially_received'), ('received'), ('lost'), ('cancelled')) as state (status)
 cross join lateral (select * from returns b
                      where b.channel = channel.code and b.status = state.status and b.created_at >=
                            -- :use since
                        and b.created_at <
                            -- :use until
                     offset 0) as b
  join orders o on o.id = b.order_id
 -- :use amounts
  join return_lines l on l.return_id = b.id
 where
       -- :use at_all_locations
    or b.location = any ((select nullif(current_setting('holdfast.locations'), '')::text[]) collate "C")
 order by b.created_at, b.id, l.line

-- :name export_events free
-- Positions and times of publication grow together and positions have no gaps, so halving finds the first one of a time.
with recursive since_search (low, high) as (
        select b.first, b.behind from (select (select min(p.first) from event_log_parts p) as first,
                                              (select r.revision + 1 from revisions r where r.topic = 'events') as behind) as b
         union all
        select case when early.so then middle.position + 1 else s.low end, case when early.so then s.high else middle.position end
          from since_search s
         cross join lateral (select (s.low + s.high) / 2 as position) as middle
         cross join lateral (select coalesce((select e.published_at <
                                                     -- :use since
                                                from event_log e where e.position = middle.position), true) as so) as early
         where s.low < s.high
)
select e.position,
       -- :use moment time="e.published_at"
       as published_at, e.id, e.type,
       -- :use moment time="e.occurred_at"
       as time, e.subject_kind || '/' || e.subject_id as subject, e.version, e.order_id, e.location, e.channel, e.data
  from event_log e
 where e.position >= (select max(s.low) from since_search s)
   and e.published_at >=
       -- :use since
   and e.published_at <
       -- :use until
   and (
       -- :use at_all_locations
        or e.location = any ((select nullif(current_setting('holdfast.locations'), '')::text[]) collate "C"))
   and ((select current_setting('holdfast.channel')) = '' or e.channel = (select current_setting('holdfast.channel')) collate "C")
 order by e.position

-- :name export_journal free
-- Entries of accounting, summed by day. Each source gives entries of one moment, channel and currency whose amounts add up to 0 (debits
-- are above it), so every day balances. The sources are orders as they are now, captured payments, refunds that have not failed, and
-- credits. Parts of a sum that no event dates stand at the last change, so that all days together are the documents.
with entry as materialized (
        select e.at, o.channel, o.currency, e.account, e.provider, e.amount
          from
               -- :use chosen_orders time="updated_at" until="'infinity'::timestamptz"
               as o
         cross join lateral (select case when o.tax_included then greatest(o.tax - sum(l.tax), 0) else 0 end as shipping_tax
                               from order_lines l where l.order_id = o.id offset 0) as part
         cross join lateral (
                 select o.placed_at as at, sale.account, null::text as provider, sale.amount
                   from (values ('receivables', o.total), ('discounts', o.discount), ('shipping', part.shipping_tax - o.shipping),
                                ('tax', -o.tax), ('sales', o.shipping - part.shipping_tax + o.tax - o.discount - o.total))
                        as sale (account, amount)
                  union all
                 select moved.at, pair.account, case pair.account when 'payments' then moved.provider end, pair.amount
                   from (select paid.at, p.provider, paid.amount
                           from payments p
                          cross join lateral (select coalesce(sum((e.data ->> 'amount')::bigint), 0)::bigint as amount from events e
                                               where e.order_id = o.id and e.type = 'payment.captured' and e.data ->> 'payment_id' = p.id::text)
                                as dated
                          cross join lateral (
                                  select e.occurred_at as at, (e.data ->> 'amount')::bigint as amount
                                    from events e
                                   where e.order_id = o.id and e.type = 'payment.captured' and e.data ->> 'payment_id' = p.id::text
                                   union all
                                  select case when dated.amount = 0 then p.created_at else p.updated_at end, p.captured - dated.amount) as paid
                          where p.order_id = o.id) as moved
                  cross join lateral (values ('payments', moved.amount), ('receivables', -moved.amount)) as pair (account, amount)
                  union all
                 select r.created_at, pair.account, case pair.account when 'payments' then p.provider end, pair.amount
                   from refunds r
                   left join payments p on p.id = r.payment_id
                  cross join lateral (values ('receivables', r.amount),
                                             (case r.destination when 'store_credit' then 'store_credit' else 'payments' end, -r.amount))
                        as pair (account, amount)
                  where r.order_id = o.id and r.status <> 'failed'
                  union all
                 select credit.at, three.account, null, three.amount
                   from (select c.at, c.amount, c.tax
                           from (select e.occurred_at as at, (e.data ->> 'amount')::bigint as amount, (e.data ->> 'tax')::bigint as tax
                                   from events e
                                  where e.order_id = o.id and e.type in ('order.units_cancelled', 'order.appeased')
                                  union all
                                 select l.received_at, l.refund, l.tax
                                   from return_lines l
                                  where l.order_id = o.id and l.acceptance = 'accepted') as c
                          union all
                         select o.updated_at, o.credited
                                - coalesce((select sum((e.data ->> 'amount')::bigint) from events e
                                             where e.order_id = o.id and e.type in ('order.units_cancelled', 'order.appeased')), 0)
                                - coalesce((select sum(l.refund) from return_lines l where l.order_id = o.id and l.acceptance = 'accepted'), 0), 0)
                        as credit
                  cross join lateral (values ('receivables', -credit.amount), ('tax', credit.tax), ('credits', credit.amount - credit.tax))
                        as three (account, amount)) as e
         where e.amount <> 0 and e.at >=
               -- :use since
           and e.at <
               -- :use until
)
select to_char(e.at, 'YYYY-MM-DD') as day, e.channel, e.currency, e.account, e.provider,
       sum(e.amount) filter (where e.amount > 0) as debit, -sum(e.amount) filter (where e.amount < 0) as credit
  from entry e
 group by 1, 2, 3, 4, 5
 order by 1, e.channel, 3, 4, 5 nulls first
