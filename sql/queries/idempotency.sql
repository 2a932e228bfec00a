-- One effect per Idempotency-Key: records of replies.

-- :name idempotency_lock
-- Try, never wait: $1 the keys' advisory lock numbers, in the order of the calls.
select pg_try_advisory_xact_lock(wanted.key)
  from unnest($1::bigint[]) with ordinality as wanted (key, place)
 order by wanted.place

-- :name idempotency_find
-- $1 the keys' digests.
select i.id, i.fingerprint, i.status, i.location, i.etag, i.body
  from idempotency i
 where i.id = any($1::uuid[])

-- :name idempotency_save
insert into idempotency (id, fingerprint, status, location, etag, body, created_at)
select id, fingerprint, status, location, etag, body, $7::timestamptz
  from unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::text[])
       as reply (id, fingerprint, status, location, etag, body)
