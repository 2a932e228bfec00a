-- Endpoints of events, and their deliveries.

-- :name webhooks_read of webhooks
-- $1 ids.
select w.id, w.url, w.types, w.locations, w.channels, w.description, w.mode, w.max_in_flight, w.state, w.secret, w.secret_hint,
       w.secret_previous, w.previous_until, w.actor, w.created_at, w.updated_at, w.version, p.cursor, p.failing_since, p.last_success_at,
       coalesce(p.gone_version, 0) as gone_version, (select r.revision from revisions r where r.topic = 'events') as head,
       (select count(*) from webhook_tests t where t.webhook_id = w.id) as tests_waiting, again.id as replay_id,
       coalesce(again.after_position, 0) as after_position, coalesce(again.until_position, 0) as until_position,
       again.types as replay_types, coalesce(again.only_failed, false) as only_failed
  from webhooks w
 cross join lateral (select * from webhook_progress where webhook_progress.webhook_id = w.id) as p
  left join lateral (select * from webhook_replays where webhook_replays.webhook_id = w.id) as again on true
 where w.id = any($1::uuid[])
 order by w.id

-- :name webhooks_lock of webhooks
-- :use webhooks_read
   for update of w

-- :name webhooks_page of webhooks free
-- Those after $1, which may be null, at most $2.
select w.id, w.url, w.types, w.locations, w.channels, w.description, w.mode, w.max_in_flight, w.state, w.secret, w.secret_hint,
       w.secret_previous, w.previous_until, w.actor, w.created_at, w.updated_at, w.version, p.cursor, p.failing_since, p.last_success_at,
       coalesce(p.gone_version, 0) as gone_version, (select r.revision from revisions r where r.topic = 'events') as head,
       (select count(*) from webhook_tests t where t.webhook_id = w.id) as tests_waiting, again.id as replay_id,
       coalesce(again.after_position, 0) as after_position, coalesce(again.until_position, 0) as until_position,
       again.types as replay_types, coalesce(again.only_failed, false) as only_failed
  from webhooks w
  join webhook_progress p on p.webhook_id = w.id
  left join webhook_replays again on again.webhook_id = w.id
 where $1::uuid is null or w.id > $1
 order by w.id
 limit $2::bigint

-- :name webhooks_guard free
-- One transaction at a time adds endpoints, so that their number stays within its limit.
select pg_advisory_xact_lock(hashtextextended('holdfast webhooks ' || current_schema(), 0))::text

-- :name webhooks_count free
select count(*) from webhooks

-- :name webhooks_insert of webhooks
insert into webhooks (id, url, types, locations, channels, description, mode, max_in_flight, state, secret, secret_hint, actor,
                      created_at, updated_at)
select id, url, types, locations, channels, description, mode, max_in_flight, state, secret, secret_hint, actor, created_at,
       updated_at
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
              $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[])
       as webhook (id, url, types, locations, channels, description, mode, max_in_flight, state, secret, secret_hint, actor,
                   created_at, updated_at)

-- :name webhook_progress_insert of webhooks
-- A new endpoint gets the events after `cursor`.
insert into webhook_progress (webhook_id, cursor)
select id, cursor
  from unnest($1::uuid[], $2::bigint[]) as webhook (id, cursor)

-- :name webhooks_update of webhooks
update webhooks w
   set url = changed.url, types = changed.types, locations = changed.locations, channels = changed.channels,
       description = changed.description, mode = changed.mode, max_in_flight = changed.max_in_flight, state = changed.state,
       secret = changed.secret, secret_hint = changed.secret_hint, secret_previous = changed.secret_previous,
       previous_until = changed.previous_until, updated_at = changed.updated_at, version = changed.version
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
              $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::bigint[])
       as changed (id, url, types, locations, channels, description, mode, max_in_flight, state, secret, secret_hint,
                   secret_previous, previous_until, updated_at, version)
 where w.id = changed.id

-- :name webhook_progress_resume
-- The endpoints $1 have another try: their failures are forgotten, and failed events are due at once.
with begun as (
        update webhook_progress p set failing_since = null where p.webhook_id = any($1::uuid[])
)
update webhook_failures f set due_at = null
 where f.webhook_id = any($1::uuid[]) and f.died_at is null

-- :name webhooks_delete
delete from webhooks w where w.id = any($1::uuid[])

-- :name webhook_progress_delete
-- It waits for the deliverer, which locks the progress before it writes failures.
delete from webhook_progress p where p.webhook_id = any($1::uuid[])

-- :name webhook_failures_delete
delete from webhook_failures f where f.webhook_id = any($1::uuid[])

-- :name webhook_tests_delete
delete from webhook_tests t where t.webhook_id = any($1::uuid[])

-- :name webhook_replays_delete
delete from webhook_replays r where r.webhook_id = any($1::uuid[])

-- :name webhook_tests_insert of webhook_tests
insert into webhook_tests (event_id, webhook_id, created_at)
select event_id, webhook_id, created_at
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as test (event_id, webhook_id, created_at)

-- :name webhook_replays_insert of webhooks
insert into webhook_replays (webhook_id, id, after_position, until_position, types, only_failed, created_at)
select id, replay_id, after_position, until_position, replay_types, only_failed, updated_at
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::boolean[], $7::timestamptz[])
       as webhook (id, replay_id, after_position, until_position, replay_types, only_failed, updated_at)
    on conflict (webhook_id) do nothing

-- :name webhook_positions_at free
-- For each time of $1, in their order, the last position that was published before it: a search by halves, because positions and
-- times of publication grow together.
with recursive bounds as materialized (
        select coalesce((select p.first from event_log_parts p where p.first >= 0 order by p.first limit 1), 1) - 1 as low,
               coalesce((select r.revision from revisions r where r.topic = 'events'), 0) as high
), search (place, wanted, low, high) as (
        select wanted.place, wanted.at, bounds.low, bounds.high
          from unnest($1::timestamptz[]) with ordinality as wanted (at, place) cross join bounds
         union all
        select s.place, s.wanted, case when l.published_at < s.wanted then l.position else s.low end,
               case when l.published_at < s.wanted then s.high else s.low + (s.high - s.low - 1) / 2 end
          from search s
         cross join lateral (select event_log.position, event_log.published_at from event_log
                              where event_log.position >= s.low + (s.high - s.low + 1) / 2
                              order by event_log.position limit 1) as l
         where s.low < s.high
)
select s.low from search s where s.low >= s.high order by s.place

-- :name webhook_position_of free
-- The position of event $2, which endpoint $1 has had an attempt of, or a failure.
(select a.position from webhook_attempts a where a.event_id = $2::uuid and a.webhook_id = $1::uuid and a.position > 0 limit 1)
 union all
(select f.position from webhook_failures f where f.webhook_id = $1::uuid and f.event_id = $2::uuid limit 1)
 limit 1

-- :name webhook_tests_take of webhooks free
-- Take test events, at most $1, with their endpoints.
with taken as (
        delete from webhook_tests t
         where t.event_id = any(array(select event_id from webhook_tests order by event_id limit $1::bigint for update skip locked))
        returning t.event_id, t.webhook_id
)
select w.id, w.url, w.types, w.mode, w.max_in_flight, w.state, w.secret, w.secret_previous, w.previous_until, w.version,
       taken.event_id as test_id
  from taken
  join webhooks w on w.id = taken.webhook_id

-- :name webhook_dead_read of log_events free
-- Events of endpoint $1 that were given up, after position $2, up to $3, at most $4.
select l.position, l.id, l.type, l.subject_kind, l.subject_id, l.order_id, l.location, l.channel, l.occurred_at, l.data
  from webhook_failures f
  join event_log l on l.position = f.position
 where f.webhook_id = $1::uuid and f.died_at is not null and f.position > $2::bigint and f.position <= $3::bigint
 order by f.position
 limit $4::bigint

-- :name webhook_replays_save free
-- Replays $1 are at positions $2; those at their end are over. In the transaction that stores the rows of their events.
with over as (
        delete from webhook_replays r
         using unnest($1::uuid[], $2::bigint[]) as saved (id, position)
         where r.id = saved.id and saved.position >= r.until_position
        returning r.id
)
update webhook_replays r
   set after_position = saved.position
  from unnest($1::uuid[], $2::bigint[]) as saved (id, position)
 where r.id = saved.id and saved.position < r.until_position

-- :name webhooks_lease free
-- Instance $1 is alive. It renews its leases of active endpoints that end within 20 seconds, and leases free ones up to its share. A
-- lease lasts 28 seconds. Returns how many it took, its share, and the time of the database.
with seen as (
        insert into webhook_deliverers as d (instance, seen_at) values ($1::uuid, statement_timestamp())
            on conflict (instance) do update set seen_at = excluded.seen_at
), share as (
        select ceil(active.n::numeric / (others.n + 1))::bigint as n
          from (select count(*) as n from webhooks w where w.state = 'active') as active
         cross join (select count(*) as n from webhook_deliverers d
                      where d.instance <> $1::uuid and d.seen_at > statement_timestamp() - interval '10 seconds') as others
), mine as (
        select count(*) as n from webhook_progress p where p.leased_by = $1::uuid and p.leased_until > statement_timestamp()
), renewed as (
        update webhook_progress p
           set leased_until = statement_timestamp() + interval '28 seconds'
          from webhooks w
         where p.leased_by = $1::uuid and p.leased_until > statement_timestamp()
           and p.leased_until < statement_timestamp() + interval '20 seconds' and w.id = p.webhook_id and w.state = 'active'
), free as materialized (
        select p.webhook_id
          from webhook_progress p
          join webhooks w on w.id = p.webhook_id
         where w.state = 'active' and (p.leased_until is null or p.leased_until <= statement_timestamp())
         order by p.webhook_id
         limit greatest((select share.n from share) - (select mine.n from mine), 0)
           for update of p skip locked
), leased as (
        update webhook_progress p
           set leased_by = $1::uuid, leased_until = statement_timestamp() + interval '28 seconds'
          from free
         where p.webhook_id = free.webhook_id
        returning p.webhook_id
)
select (select count(*) from leased), (select share.n from share), clock_timestamp()

-- :name webhooks_leased of webhooks free
-- The endpoints of instance $1.
select w.id, w.url, w.types, w.locations, w.channels, w.mode, w.max_in_flight, w.state, w.secret, w.secret_previous,
       w.previous_until, w.version, p.cursor,
       p.failing_since, p.last_success_at, again.id as replay_id, coalesce(again.after_position, 0) as after_position,
       coalesce(again.until_position, 0) as until_position, again.types as replay_types,
       coalesce(again.only_failed, false) as only_failed
  from webhook_progress p
  join webhooks w on w.id = p.webhook_id
  left join webhook_replays again on again.webhook_id = w.id
 where p.leased_by = $1::uuid and p.leased_until > statement_timestamp() and w.state = 'active'
 order by w.id

-- :name webhooks_release free
-- Instance $1 gives the endpoints $2 back, so that others go on at once; null: all, because it stops.
with gone as (
        delete from webhook_deliverers d
         where $2::uuid[] is null and (d.instance = $1::uuid or d.seen_at < statement_timestamp() - interval '1 hour')
)
update webhook_progress p set leased_by = null, leased_until = null
 where p.leased_by = $1::uuid and ($2::uuid[] is null or p.webhook_id = any($2))

-- :name webhooks_with_failures free
-- Those of the endpoints $1 that have events to be sent again.
select wanted.id
  from unnest($1::uuid[]) as wanted (id)
 where exists (select from webhook_failures f where f.webhook_id = wanted.id and f.died_at is null)

-- :name webhook_failures_read of log_events free
-- Events of endpoint $1 that are to be sent again, oldest first, at most $2. Those that the log no longer has are missing.
select l.position, l.id, l.type, l.subject_kind, l.subject_id, l.order_id, l.location, l.channel, l.occurred_at, l.data
  from webhook_failures f
  join event_log l on l.position = f.position
 where f.webhook_id = $1::uuid and f.died_at is null
 order by f.position
 limit $2::bigint

-- :name webhook_failures_due of webhook_failures free
-- The rows to these events.
select f.webhook_id, f.position, f.event_id, f.attempts, f.due_at, f.died_at
  from webhook_failures f
 where f.webhook_id = $1::uuid and f.died_at is null
 order by f.position
 limit $2::bigint

-- :name webhook_progress_save free
-- Store the progress of endpoints that instance $5 still has; returns their ids. First of its transaction.
update webhook_progress p
   set cursor = greatest(p.cursor, saved.cursor), failing_since = saved.failing_since,
       last_success_at = greatest(p.last_success_at, saved.last_success_at), gone_version = nullif(saved.gone_version, 0)
  from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $6::bigint[])
       as saved (webhook_id, cursor, failing_since, last_success_at, gone_version)
 where p.webhook_id = saved.webhook_id and p.leased_by = $5::uuid
returning p.webhook_id

-- :name webhook_failures_save of webhook_failures free
insert into webhook_failures as f (webhook_id, position, event_id, attempts, due_at, died_at)
select webhook_id, position, event_id, attempts, due_at, died_at
  from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
       as saved (webhook_id, position, event_id, attempts, due_at, died_at)
 order by webhook_id, position
    on conflict (webhook_id, position) do update
   set attempts = excluded.attempts, due_at = excluded.due_at, died_at = excluded.died_at

-- :name webhook_failures_end of webhook_failures free
-- Delivered after all.
delete from webhook_failures f
 using unnest($1::uuid[], $2::bigint[]) as ended (webhook_id, position)
 where f.webhook_id = ended.webhook_id and f.position = ended.position

-- :name webhooks_to_disable
-- Active endpoints, at most $1, that answered 410 in their present version, or have failed for $2 seconds.
(select p.webhook_id
   from webhook_progress p
  cross join lateral (select from webhooks w where w.id = p.webhook_id and w.state = 'active' and w.version = p.gone_version) as active
  where p.gone_version is not null
  limit $1::bigint)
 union
(select p.webhook_id
   from webhook_progress p
  cross join lateral (select from webhooks w where w.id = p.webhook_id and w.state = 'active') as active
  where p.failing_since < statement_timestamp() - make_interval(secs => $2::bigint)
  limit $1::bigint)

-- :name webhooks_to_tell
-- Endpoints with events that were given up and that no event tells, at most $1.
with recursive found (webhook_id) as (
        (select f.webhook_id from webhook_failures f
          where f.died_at is not null and not f.is_told and f.webhook_id > '00000000-0000-0000-0000-000000000000'
          order by f.webhook_id limit 1)
         union all
        select next.webhook_id
          from found
         cross join lateral (select f.webhook_id from webhook_failures f
                              where f.died_at is not null and not f.is_told and f.webhook_id > found.webhook_id
                              order by f.webhook_id limit 1) as next
)
select found.webhook_id from found limit $1::bigint

-- :name webhook_failures_to_tell of webhook_dead
-- Those of the endpoints $1, at most $2 of each; the type is null when the log no longer has the event.
select d.webhook_id, d.position, d.event_id, d.attempts, d.type
  from webhooks w
 cross join lateral (select f.webhook_id, f.position, f.event_id, f.attempts,
                            (select l.type from event_log l where l.position = f.position) as type
                       from webhook_failures f
                      where f.webhook_id = w.id and f.died_at is not null and not f.is_told
                      order by f.position
                      limit $2::bigint) as d
 where w.id = any($1::uuid[])
 order by d.webhook_id, d.position

-- :name webhook_failures_told of webhook_dead
-- Events tell of these.
update webhook_failures f
   set is_told = true
  from unnest($1::uuid[], $2::bigint[]) as told (webhook_id, position)
 where f.webhook_id = told.webhook_id and f.position = told.position

-- :name webhooks_to_reseal free
-- Endpoints, at most $1, with a secret that does not begin with $2, or with a replaced one whose time is over.
select w.id
  from webhooks w
 where not starts_with(w.secret, $2::text) or not starts_with(coalesce(w.secret_previous, $2), $2)
    or w.previous_until < statement_timestamp()
 order by w.id
 limit $1::bigint

-- :name webhooks_reseal of webhooks
-- The same secrets under another key: no change of the document.
update webhooks w
   set secret = sealed.secret, secret_previous = sealed.secret_previous, previous_until = sealed.previous_until
  from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) as sealed (id, secret, secret_previous, previous_until)
 where w.id = sealed.id

-- :name webhook_attempts_save of webhook_attempts free
-- An attempt that is there already stays: a save whose outcome was unknown is repeated.
insert into webhook_attempts (webhook_id, event_id, at, position, attempt, is_ok, status, ms, answer, error, next_at)
select webhook_id, event_id, at, position, attempt, is_ok, status, ms, answer, error, next_at
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::boolean[], $7::bigint[], $8::bigint[],
              $9::text[], $10::text[], $11::timestamptz[])
       as attempt (webhook_id, event_id, at, position, attempt, is_ok, status, ms, answer, error, next_at)
    on conflict do nothing

-- :name webhook_attempts_page of webhook_attempts free
-- Newest first: those of endpoint $1 before time $2 and event $3 (null from the start), at most $4. $5 is not used.
select a.webhook_id, a.event_id, a.at, a.position, a.attempt, a.is_ok, a.status, a.ms, a.answer, a.error, a.next_at
  from webhook_attempts a
 where a.webhook_id = $1::uuid and ($2::timestamptz is null or (a.at, a.event_id) < ($2, $3::uuid))
   and $5::boolean is null
 order by a.at desc, a.event_id desc
 limit $4::bigint

-- :name webhook_attempts_by_result of webhook_attempts free
-- The same, successes or failures alone: $5.
select a.webhook_id, a.event_id, a.at, a.position, a.attempt, a.is_ok, a.status, a.ms, a.answer, a.error, a.next_at
  from webhook_attempts a
 where a.webhook_id = $1::uuid and a.is_ok = $5::boolean
   and ($2::timestamptz is null or (a.at, a.event_id) < ($2, $3::uuid))
 order by a.at desc, a.event_id desc
 limit $4::bigint

-- :name webhook_attempts_of_event of webhook_attempts free
-- The same, of event $6 alone; $5 may be null.
select a.webhook_id, a.event_id, a.at, a.position, a.attempt, a.is_ok, a.status, a.ms, a.answer, a.error, a.next_at
  from webhook_attempts a
 where a.event_id = $6::uuid and a.webhook_id = $1::uuid and ($5::boolean is null or a.is_ok = $5)
   and ($2::timestamptz is null or (a.at, a.event_id) < ($2, $3::uuid))
 order by a.at desc, a.event_id desc
 limit $4::bigint
