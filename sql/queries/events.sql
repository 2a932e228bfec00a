-- Events of documents.

-- :name events_save of events
insert into events (id, type, subject_kind, subject_id, version, order_id, location, channel, actor, data, occurred_at)
select id, type, subject_kind, subject_id, version, order_id, location, channel, actor, data, occurred_at
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::text[], $8::text[], $9::text[],
              $10::jsonb[], $11::timestamptz[])
       as event (id, type, subject_kind, subject_id, version, order_id, location, channel, actor, data, occurred_at)

-- :name stream_pending_save of events
-- Events to publish: $1 locations, $2 ids.
insert into stream_pending (location, event_id)
select location, id
  from unnest($1::text[], $2::uuid[]) as told (location, id)
