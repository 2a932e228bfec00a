-- Removing a person from orders: statements for a batch of them. Every change of any part of an order holds the order's lock,
-- so this lock is enough.

-- :name erasure_find_aged of found_orders free
-- Orders that may be closed and have not changed since $1, at most $2, after time $3 and id $4. An order that has changed
-- since its erasure (goods came back) may name the customer again.
with recursive closed (status, channel) as (
        select first.status, first.channel
          from unnest('{fulfilled,cancelled}'::text[]) as asked (status)
         cross join lateral (select o.status, o.channel from orders o
                              where o.status = asked.status order by o.channel limit 1) as first
         union all
        select next.status, next.channel
          from closed c
         cross join lateral (select o.status, o.channel from orders o
                              where o.status = c.status and o.channel > c.channel order by o.channel limit 1) as next
)
select aged.id, aged.updated_at
  from closed c
 cross join lateral (select o.id, o.updated_at
                       from orders o
                      where o.status = c.status and o.channel = c.channel
                        and o.updated_at < $1::timestamptz and (o.updated_at, o.id) > ($3::timestamptz, $4::uuid)
                        and (o.customer ->> 'erased_at')::timestamptz >= date_trunc('milliseconds', o.updated_at) is not true
                      order by o.updated_at, o.id
                      limit $2::bigint) as aged
 order by aged.updated_at, aged.id
 limit $2::bigint

-- :name erasure_find_person of found_orders free
-- The orders of a customer; all but one are null: $1 customer_id, $2 e-mail address in any case, $3 the digits of a phone
-- without a 00 in front, $4 order number as it was typed and $5 as it would be written, null when that can be none.
select o.id, o.updated_at
  from orders o
 where ($1::text is null or o.customer ->> 'customer_id' = $1)
   and ($2::text is null or lower(o.customer ->> 'email') = lower($2))
   and ($3::text is null or phone_digits(o.customer ->> 'phone') = $3)
   and ($4::text is null or o.order_number in ($4, $5::text))
 order by o.placed_at, o.id

-- :name erasure_lock_search
-- Before the orders' locks. A sweeper that has read an order before its erasure and writes its words after it would bring the customer
-- back: it is waited for, and the next one reads what the erasure has left.
lock table order_search in share row exclusive mode

-- :name erasure_lock_orders of erasable_orders free
-- $1 ids. Whether one is erased already: and has not changed since.
select o.id, o.order_number, o.open_for, o.cancel_reason,
       (o.customer ->> 'erased_at')::timestamptz >= date_trunc('milliseconds', o.updated_at) is true as is_erased, o.version
  from orders o
 where o.id = any($1::uuid[])
 order by o.id
   for update

-- :name erasure_save_notifications free
-- The messages about the orders $1 keep no address and no answer, and those that wait are not sent. $2 now.
update notifications n
   set recipient = null, answer = null, updated_at = $2::timestamptz,
       state = case when n.state = 'queued' then 'skipped' else n.state end, due_at = null
 where n.order_id = any($1::uuid[]) and (n.recipient is not null or n.answer is not null or n.state = 'queued')

-- :name erasure_read_fulfillments of personal_documents free
-- After the locks of their orders $1.
select f.id, f.order_id, f.reason, f.handover, f.packages
  from fulfillments f
 where f.order_id = any($1::uuid[])
 order by f.order_id, f.id

-- :name erasure_read_refunds of personal_documents free
select r.id, r.order_id, r.reason
  from refunds r
 where r.order_id = any($1::uuid[])

-- :name erasure_read_returns of personal_documents free
select r.id, r.order_id, r.cancel_reason as reason, r.unexpected
  from returns r
 where r.order_id = any($1::uuid[])

-- :name erasure_read_events of personal_documents free
-- Events of the orders $1 with members besides their type.
select e.id, e.data
  from events e
 where e.order_id = any($1::uuid[]) and e.data <> '{}'

-- :name erasure_read_records of personal_documents free
-- Kept replies that contain a document; $1 its id, as a pattern.
select i.id, i.body
  from idempotency i
 where i.body like any($1::text[])

-- :name erasure_save_orders of erasable_orders free
-- $1 ids, $2 reasons of cancellation, $3 the time, $4 the same in text. The search forgets them at once.
with unsearched as (
        delete from order_search s where s.order_id = any($1::uuid[])
), due as (
        insert into order_search_due (orders) select $1::uuid[] where cardinality($1::uuid[]) > 0
), moved as (
        update order_places p set updated_at = $3::timestamptz where p.order_id = any($1::uuid[])
)
update orders o
   set customer = jsonb_build_object('name', 'erased', 'email', null, 'phone', null, 'customer_id', null, 'erased_at', $4::text),
       ship_to = null, payment_reference = null, cancel_reason = erased.cancel_reason, version = o.version + 1,
       updated_at = $3::timestamptz
  from unnest($1::uuid[], $2::text[]) as erased (id, cancel_reason)
 where o.id = erased.id

-- :name erasure_save_discounts free
update order_discounts d set reason = null where d.order_id = any($1::uuid[]) and d.reason is not null

-- :name erasure_save_payments free
-- Of the orders $1, $2 the time. The provider's event ids stay: they detect a repeat.
with erased as (
        update payments p
           set reference = null, version = p.version + 1, updated_at = $2::timestamptz
         where p.order_id = any($1::uuid[]) and p.reference is not null
        returning p.id, p.version
)
select event_cover('payment.updated', 'payments', erased.id, erased.version, null, null) from erased

-- :name erasure_save_refunds of personal_documents free
-- $1 ids, $2 reasons, $3 the time.
update refunds r
   set reason = erased.reason, reference = null, version = r.version + 1, updated_at = $3::timestamptz
  from unnest($1::uuid[], $2::text[]) as erased (id, reason)
 where r.id = erased.id

-- :name erasure_save_returns of personal_documents free
-- $1 ids, $2 reasons of cancellation, $3 unexpected goods.
with changed as (
        update returns r
           set cancel_reason = erased.reason, unexpected = erased.unexpected, version = r.version + 1
          from unnest($1::uuid[], $2::text[], $3::jsonb[]) as erased (id, reason, unexpected)
         where r.id = erased.id
        returning r.id, r.version, r.location, r.channel
)
select from changed
 cross join lateral (select event_cover('return.updated', 'returns', changed.id, changed.version, changed.location, changed.channel)
                     offset 0) as told

-- :name erasure_save_return_lines free
-- Of the orders $1.
update return_lines l
   set reason = 'erased', note = case when l.note is not null then 'erased' end
 where l.order_id = any($1::uuid[])

-- :name erasure_save_fulfillments of personal_documents free
-- $1 ids, $2 reasons, $3 hand-overs, $4 packages. The time of the last change stays: without events, it dates the
-- hand-over or the delivery.
with changed as (
        update fulfillments f
           set reason = erased.reason, handover = erased.handover, packages = erased.packages,
               recipient = case when f.recipient is not null then '{"name": "erased"}'::jsonb end,
               vehicle_make = null, vehicle_color = null, vehicle_plate = null, link_digest = null, link_expires_at = null,
               version = f.version + 1
          from unnest($1::uuid[], $2::text[], $3::jsonb[], $4::jsonb[]) as erased (id, reason, handover, packages)
         where f.id = erased.id
        returning f.id, f.version, f.location
)
select from changed
 cross join lateral (select event_cover('fulfillment.updated', 'fulfillments', changed.id, changed.version, changed.location, null)
                     offset 0) as told

-- :name erasure_save_events of personal_documents free
update events e
   set data = erased.data
  from unnest($1::uuid[], $2::jsonb[]) as erased (id, data)
 where e.id = erased.id

-- :name erasure_save_records of personal_documents free
update idempotency i
   set body = erased.body
  from unnest($1::uuid[], $2::text[]) as erased (id, body)
 where i.id = erased.id
