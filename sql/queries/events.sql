-- Events of documents.

-- :name events_save of events
insert into events (id, type, order_id, fulfillment_id, reservation_id, location, actor, data, occurred_at)
select id, type, order_id, fulfillment_id, reservation_id, location, actor, data, occurred_at
  from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::jsonb[],
              $9::timestamptz[])
       as event (id, type, order_id, fulfillment_id, reservation_id, location, actor, data, occurred_at)

-- :name stream_pending_save of events
-- Events to publish: $1 locations, $2 ids.
insert into stream_pending (location, event_id)
select location, id
  from unnest($1::text[], $2::uuid[]) as told (location, id)
