-- Figures of the database for /metrics; the sweeper queries them now and then.

-- :name figures_queue free
-- The queues by location, or one without a name if there are more locations than $1. For each: cards by status, cards past
-- their promised time, seconds since the oldest work, and the longest wait of a customer.
select card.place,
       count(*) filter (where card.shown = 'allocated'),
       count(*) filter (where card.shown = 'arrived'),
       count(*) filter (where card.shown = 'on_the_way'),
       count(*) filter (where card.shown = 'packed'),
       count(*) filter (where card.shown = 'picking'),
       count(*) filter (where card.shown = 'ready'),
       count(*) filter (where card.is_promise and card.promised_at <= card.now),
       coalesce(extract(epoch from max(card.now - card.created_at) filter (where card.is_promise)), 0)::double precision,
       coalesce(extract(epoch from max(card.now - card.arrived_at) filter (where card.shown = 'arrived')), 0)::double precision
  from (select case when known.few then f.location end as place, statement_timestamp() as now,
               f.promised_at, f.created_at, f.arrived_at,
               f.status in ('allocated', 'picking', 'packed') as is_promise,
               case when f.status = 'ready' and f.check_in <> 'none' then f.check_in else f.status end as shown
          from fulfillments f
         cross join (select count(*) <= $1::bigint as few
                       from (select l.code from locations l order by l.code limit $1::bigint + 1) as first) as known
         where f.status in ('allocated', 'picking', 'ready', 'packed')) as card
 group by card.place
 order by card.place

-- :name figures_outbox
-- Seconds that the longest waiting event has waited for its position in the log.
select coalesce(extract(epoch from max(statement_timestamp() - first.written_at)), 0)::double precision
  from (select d.written_at from events_due d where d.number >= 0 order by d.number limit 1) as first

-- :name figures_consumers free
-- The consumers of the log by name, or the one that is furthest behind without a name if there are more than $1. For each: the events
-- after its position, and the seconds since the first of them was published.
select behind.name, greatest(0, head.revision - behind.position)::bigint,
       coalesce(extract(epoch from statement_timestamp() - next.published_at), 0)::double precision
  from (select count(*) <= $1::bigint as few
          from (select c.name from consumers c order by c.name limit $1::bigint + 1) as first) as known
 cross join (select r.revision from revisions r where r.topic = 'events') as head
 cross join lateral (select c.name, c.position from consumers c where known.few
                      union all
                     select null, min(c.position) from consumers c where not known.few having count(*) > 0) as behind
  left join lateral (select l.published_at from event_log l where l.position > behind.position order by l.position limit 1) as next on true
 order by behind.name

-- :name figures_mails free
-- The number of messages that wait to be sent, 10,000 at most, and the age of the oldest one in seconds.
select (select count(*) from (select from notifications n where n.state = 'queued' order by n.due_at limit 10000) as waiting),
       coalesce(extract(epoch from statement_timestamp() - oldest.created_at), 0)::double precision
  from (select) as always
  left join lateral (select n.created_at from notifications n where n.state = 'queued' order by n.created_at limit 1) as oldest on true

-- :name figures_webhooks free
-- Endpoints by state; active ones that fail now; the events and seconds that the slowest active one is behind; events that failed or
-- wait for a failed one; events that were given up.
select count(*) filter (where w.state = 'active'), count(*) filter (where w.state = 'paused'),
       count(*) filter (where w.state = 'disabled'),
       count(*) filter (where w.state = 'active' and p.failing_since is not null),
       coalesce(max(head.position - p.cursor) filter (where w.state = 'active'), 0),
       coalesce((select extract(epoch from statement_timestamp() - l.published_at)
                   from event_log l
                  where l.position > min(p.cursor) filter (where w.state = 'active')
                  order by l.position
                  limit 1), 0)::double precision,
       (select count(*) from webhook_failures f where f.died_at is null),
       (select count(*) from webhook_failures f where f.died_at is not null)
  from webhooks w
  join webhook_progress p on p.webhook_id = w.id
 cross join (select coalesce((select r.revision from revisions r where r.topic = 'events'), 0) as position) as head

-- :name figures_sessions free
-- The size of the database, its sessions that wait for a lock, and the seconds of the oldest transaction. Sessions of other
-- roles count only if the role may see them.
select pg_database_size(current_database()),
       count(*) filter (where a.wait_event_type = 'Lock'),
       coalesce(extract(epoch from max(statement_timestamp() - a.xact_start)), 0)::double precision
  from pg_stat_activity a
 where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()

-- :name figures_standbys free
-- The standbys by name, which several may share, at most $1 names. For each: the lag of the last one in seconds and in bytes,
-- null if the role may not see it; and their number. Only standbys that replay and could take over count: no backup, no
-- archive of the log, no logical subscriber.
select coalesce(s.application_name, ''),
       max(case when s.replay_lsn is not null then coalesce(extract(epoch from s.replay_lag), 0) end)::double precision,
       max(pg_wal_lsn_diff(pg_current_wal_lsn(), s.replay_lsn))::double precision,
       count(*)
  from pg_stat_replication s
 where (s.state is null or s.replay_lsn is not null)
   and not exists (select from pg_replication_slots l where l.active_pid = s.pid and l.slot_type = 'logical')
 group by coalesce(s.application_name, '')
 order by coalesce(s.application_name, '')
 limit $1::bigint
