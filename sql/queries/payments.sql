-- Payments, refunds and the recorded events of the provider. Statements of orders.sql read payments and refunds with their orders.

-- :name payments_insert of payments
insert into payments (id, order_id, number, provider, reference, status, amount, authorized, captured, voided, capture_due,
                      refunded, actor, created_at, updated_at, version, void_due, failed, opened, void_asked)
select id, order_id, number, provider, reference, status, amount, authorized, captured, voided, capture_due,
       refunded, actor, created_at, updated_at, version, void_due, failed, opened, void_asked
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::timestamptz[],
              $15::timestamptz[], $16::bigint[], $17::bigint[], $18::bigint[], $19::text[], $20::bigint[])
       as payment (id, order_id, number, provider, reference, status, amount, authorized, captured, voided, capture_due,
                   refunded, actor, created_at, updated_at, version, void_due, failed, opened, void_asked)

-- :name payments_update of payments
-- The same columns, without those that never change.
update payments p
   set reference = changed.reference, status = changed.status, authorized = changed.authorized,
       captured = changed.captured, voided = changed.voided, capture_due = changed.capture_due,
       refunded = changed.refunded, updated_at = changed.updated_at, version = changed.version,
       void_due = changed.void_due, failed = changed.failed, void_asked = changed.void_asked
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::timestamptz[],
              $15::timestamptz[], $16::bigint[], $17::bigint[], $18::bigint[], $19::text[], $20::bigint[])
       as changed (id, order_id, number, provider, reference, status, amount, authorized, captured, voided, capture_due,
                   refunded, actor, created_at, updated_at, version, void_due, failed, opened, void_asked)
 where p.id = changed.id

-- :name refunds_insert of refunds
insert into refunds (id, order_id, number, payment_id, return_id, amount, destination, status, reason, actor, created_at,
                     updated_at, tax)
select id, order_id, number, payment_id, return_id, amount, destination, status, reason, actor, created_at, created_at, tax
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::uuid[], $6::bigint[], $7::text[], $8::text[],
              $9::text[], $10::text[], $11::timestamptz[], $12::bigint[])
       as refund (id, order_id, number, payment_id, return_id, amount, destination, status, reason, actor, created_at, tax)

-- :name refunds_update of refunds
update refunds r
   set status = changed.status, reference = changed.reference, version = changed.version, updated_at = changed.updated_at
  from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[])
       as changed (id, status, reference, version, updated_at)
 where r.id = changed.id

-- :name payments_orders of owners
-- Their orders, which never change. $1 payments, $2 refunds.
select p.id, p.order_id from payments p where p.id = any($1::uuid[])
 union all
select r.id, r.order_id from refunds r where r.id = any($2::uuid[])

-- :name payment_events_read of payment_events
-- All recorded events of the payments $1.
select told.payment_id, told.event_id, told.type, told.content, told.number, told.amount, told.let_go as voids_asked, told.refund_id,
       told.occurred_at, told.recorded_at, told.counts
  from unnest($1::uuid[]) as wanted (payment_id)
 cross join lateral (select * from payment_events where payment_events.payment_id = wanted.payment_id) as told

-- :name payment_events_insert of payment_events
insert into payment_events (payment_id, event_id, type, content, number, amount, let_go, refund_id, occurred_at, recorded_at)
select payment_id, event_id, type, content, number, amount, voids_asked, refund_id, occurred_at, recorded_at
  from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[], $8::uuid[],
              $9::timestamptz[], $10::timestamptz[])
       as told (payment_id, event_id, type, content, number, amount, voids_asked, refund_id, occurred_at, recorded_at)
