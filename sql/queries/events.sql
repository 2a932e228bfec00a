-- Events of documents.

-- :name events_save of events
insert into events (id, type, subject_kind, subject_id, version, order_id, location, channel, actor, data, occurred_at)
select id, type, subject_kind, subject_id, version, order_id, location, channel, actor, data, occurred_at
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::text[], $8::text[], $9::text[],
              $10::jsonb[], $11::timestamptz[])
       as event (id, type, subject_kind, subject_id, version, order_id, location, channel, actor, data, occurred_at)

-- :name events_due_save
-- Of the transaction: the ids $1 of its events, in their order, wait for their positions, and with them the loose events $2 (null for
-- the others). A row holds 200 at most, so that the ids stay in its page.
insert into events_due (ids, loose)
select array_agg(saved.id order by saved.place),
       case when count(saved.loose) > 0 then array_agg(saved.loose order by saved.place) end
  from unnest($1::uuid[], $2::jsonb[]) with ordinality as saved (id, loose, place)
 group by (saved.place - 1) / 200
 order by min(saved.place)

-- :name events_publish
-- Give due events the next positions of the log: those of $1 rows at most, about $1 events. A publisher locks the revision of the log;
-- others skip it. Rows that a rival has taken since this statement began are no longer there, and the lock shows its last position. A
-- later change of a document waits for the lock of an earlier one, so the order of the rows is the order of its changes. $2 the types
-- with members for the timeline alone, $3 those members.
with head as materialized (
        select r.revision from revisions r where r.topic = 'events' for update skip locked
), waiting as materialized (
        select d.number, sum(cardinality(d.ids)) over (order by d.number) - cardinality(d.ids) as before
          from (select e.number, e.ids from events_due e where e.number >= 0 order by e.number limit $1::bigint) as d
), taken as (
        delete from events_due d
         where exists (select from head)
           and d.number = any(array(select waiting.number from waiting where waiting.before < $1::bigint))
        returning d.number, d.ids, d.loose
), placed as materialized (
        select e.*, row_number() over (order by taken.number, each.place) as place
          from taken
         cross join lateral unnest(taken.ids, taken.loose) with ordinality as each (id, loose, place)
         cross join lateral (select * from events where events.id = each.id and each.loose is null
                              union all
                             select loose.* from jsonb_populate_record(null::events, each.loose) as loose
                              where each.loose is not null) as e
), logged as (
        insert into event_log (position, id, type, subject_kind, subject_id, version, order_id, location, channel, occurred_at,
                               published_at, data)
        select head.revision + placed.place, placed.id, placed.type, placed.subject_kind, placed.subject_id, placed.version,
               placed.order_id, placed.location, placed.channel, placed.occurred_at, statement_timestamp(),
               case when placed.type = any($2::text[]) then placed.data - $3::text[] else placed.data end
          from placed cross join head
        returning position, location
), told as materialized (
        select 'events' as topic, max(logged.position) as position from logged having count(*) > 0
         union all
        select 'events/' || logged.location, max(logged.position)
          from logged where logged.location is not null group by logged.location
)
insert into revisions as r (topic, revision)
select told.topic, told.position from told order by told.topic
    on conflict (topic) do update set revision = excluded.revision
returning r.topic, r.revision, (select count(*) from logged)

-- :name event_log_extend
-- Make room for $1 more positions; returns the last position for which there is a partition.
select event_log_extend($1::bigint)

-- :name event_log_bounds
-- The last position of the log, and the first one that is kept.
select r.revision, (select p.first from event_log_parts p where p.first >= 0 order by p.first limit 1)
  from revisions r
 where r.topic = 'events'

-- :name event_log_page of log_events
-- Events at the 10,000 positions after $1, at most $5. Filters may be null: $2 types, $3 locations, $4 channel.
select l.position, l.id, l.type, l.subject_kind, l.subject_id, l.order_id, l.location, l.channel, l.occurred_at, l.data
  from event_log l
 where l.position > $1::bigint and l.position <= $1::bigint + 10000
   and ($2::text[] is null or l.type = any($2))
   and ($3::text[] is null or l.location = any($3))
   and ($4::text is null or l.channel = $4)
 order by l.position
 limit $5::bigint

-- :name event_log_of_subject of log_events
-- Events of the subject of kind $2 and id $3 after position $1, at most $7. Filters may be null: $4 types, $5 locations, $6 channel.
select l.position, l.id, l.type, l.subject_kind, l.subject_id, l.order_id, l.location, l.channel, l.occurred_at, l.data
  from event_log l
 where l.subject_kind = $2::text and l.subject_id = $3::text and l.position > $1::bigint
   and ($4::text[] is null or l.type = any($4))
   and ($5::text[] is null or l.location = any($5))
   and ($6::text is null or l.channel = $6)
 order by l.position
 limit $7::bigint

-- :name event_log_at_location of log_events
-- Events at location $3 after position $1, at most $4; $2 all kinds of subjects.
select page.position, page.id, page.type, page.subject_kind, page.subject_id, page.order_id, page.location, page.channel,
       page.occurred_at, page.data
  from unnest($2::text[]) as each (kind)
 cross join lateral (select * from event_log l
                      where l.location = $3::text and l.subject_kind = each.kind and l.position > $1::bigint
                      order by l.position
                      limit $4::bigint) as page
 order by page.position
 limit $4::bigint

-- :name consumers_lock of consumers
-- The consumers $1 that exist.
select c.name, c.types, c.position, c.version, c.updated_at
  from consumers c
 where c.name = any($1::text[])
 order by c.name
   for update

-- :name consumers_read of consumers
-- The same unlocked, with the age of the first event that is kept and that each has not committed.
select c.name, c.types, c.position, c.version, c.updated_at,
       coalesce(extract(epoch from clock_timestamp() - next.published_at), 0)::double precision as lag_s
  from consumers c
  left join lateral (select l.published_at from event_log l where l.position > c.position order by l.position limit 1) as next on true
 where c.name = any($1::text[])

-- :name consumers_page of consumers free
-- The same, of the $2 consumers after name $1, null for the first.
select c.name, c.types, c.position, c.version, c.updated_at,
       coalesce(extract(epoch from clock_timestamp() - next.published_at), 0)::double precision as lag_s
  from (select * from consumers where $1::text is null or name > $1 collate "C" order by name limit $2::bigint) as c
  left join lateral (select l.published_at from event_log l where l.position > c.position order by l.position limit 1) as next on true
 order by c.name

-- :name consumers_insert of consumers
insert into consumers (name, types, position, version, updated_at)
select name, types, position, version, updated_at
  from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[])
       as added (name, types, position, version, updated_at)

-- :name consumers_update of consumers
update consumers c
   set types = changed.types, position = changed.position, version = changed.version, updated_at = changed.updated_at
  from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[])
       as changed (name, types, position, version, updated_at)
 where c.name = changed.name collate "C"

-- :name consumers_delete
delete from consumers c where c.name = any($1::text[])

-- :name consumer_move
-- Move the consumer $1 from position $2 to $3; no row if another process has moved it.
update consumers c
   set position = $3::bigint, version = c.version + 1, updated_at = clock_timestamp()
 where c.name = $1::text and c.position = $2::bigint
returning c.version
