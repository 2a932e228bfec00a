-- The streams of locations: events in the order of their publication.

-- :name streams_begin
-- A location gets its stream with its first event.
insert into streams (location, position)
select distinct p.location, 0
  from stream_pending p
 where p.number >= 0 and not exists (select from streams s where s.location = p.location)
    on conflict (location) do nothing

-- :name streams_publish
-- Give pending events their positions, $1 at most. A publisher of a stream locks its row; other publishers skip it. Events that a
-- rival has published since this statement began are no longer pending, and the lock shows their positions.
with due as (
        select p.number, p.location, p.event_id
          from stream_pending p
         where p.number >= 0
         order by p.number
         limit $1::bigint
), held as (
        select s.location, s.position
          from streams s
         where s.location = any(array(select distinct due.location from due))
         order by s.location
           for update skip locked
), taken as (
        delete from stream_pending p
         where p.number = any(array(select due.number from due where due.location = any(array(select held.location from held))))
        returning p.number, p.location, p.event_id
), placed as (
        insert into stream_events (location, position, event_id, published_at)
        select taken.location,
               held.position + row_number() over (partition by taken.location order by taken.number),
               taken.event_id, clock_timestamp()
          from taken join held using (location)
        returning location
), counted as (
        select placed.location, count(*) as n from placed group by placed.location
)
update streams s
   set position = held.position + counted.n
  from counted join held using (location)
 where s.location = counted.location
returning s.location, counted.n::bigint

-- :name topics_look
-- The present revisions and positions of the queues and streams of locations $1; 0 where none exists yet.
select wanted.location, coalesce(q.revision, 0), coalesce(s.position, 0)
  from unnest($1::text[]) as wanted (location)
  left join lateral (select queue_revisions.revision from queue_revisions
                      where queue_revisions.location = wanted.location collate "C") as q on true
  left join lateral (select streams.position from streams
                      where streams.location = wanted.location collate "C") as s on true

-- :name topics_send
select pg_notify('holdfast', $1::text || topic.name)
  from unnest($2::text[]) as topic (name)

-- :name topics_send_lightly
-- A hint need not wait for the disk.
set local synchronous_commit = off

-- :name stream_read
-- Events of location $1 after position $2, at most $3 rows.
select e.position, told.id, told.type, told.order_id, told.subject_id::uuid, told.occurred_at, told.data
  from stream_events e
 cross join lateral (select * from events where events.id = e.event_id) as told
 where e.location = $1::text and e.position > $2::bigint
 order by e.position
 limit $3::bigint

-- :name stream_bounds
-- For a new client: the position of location $1 now, and the first one that is kept (null: none is).
select s.position,
       (select e.position from stream_events e where e.location = s.location order by e.position limit 1)
  from streams s
 where s.location = $1::text
