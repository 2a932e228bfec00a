-- One log of all events, and revisions of topics. Older programs write into the tables that go, so they must stop.

-- ---- revisions ----

-- What calls wait for: the queue of a location, events of a location, the log. A transaction that changes a topic counts its revision up
-- as its last statement. The revision of "events" and "events/LOCATION" is a position of the log.
create table revisions (
        topic text collate "C" primary key,
        revision bigint not null
) with (fillfactor = 50);

insert into revisions (topic, revision)
select 'queue/' || location, revision from queue_revisions;

-- Positions begin behind those of all streams, so a client of an old stream reads the queue once.
insert into revisions (topic, revision)
select 'events', coalesce(max(position), 0) from streams;

-- ---- the log ----

-- Events that have no position yet: one row a transaction. The number only orders the changes of one document; across documents it
-- tells nothing, because sequences do not commit in order.
create table events_due (
        number bigint generated always as identity primary key,
        written_at timestamptz not null default statement_timestamp(),
        ids uuid[] not null
);
alter table events_due alter column ids set storage plain;

insert into events_due (ids)
select array[event_id] from stream_pending order by number;

-- All events in the order of their publication, without a gap. Rows are never changed; old partitions are dropped. `data` lacks the members
-- that only the timeline of an order shows.
create table event_log (
        position bigint primary key,
        id uuid not null,
        type text not null,
        subject_kind text not null,
        subject_id text collate "C" not null,
        version bigint,
        order_id uuid,
        location text collate "C",
        channel text collate "C",
        occurred_at timestamptz not null,
        published_at timestamptz not null,
        data jsonb not null
) partition by range (position);

create index event_log_by_location on event_log (location, subject_kind, position) where location is not null;
create index event_log_by_subject on event_log (subject_kind, subject_id, position);

-- The partitions: positions from `first` to `last`.
create table event_log_parts (
        first bigint primary key,
        last bigint not null,
        made_at timestamptz not null default statement_timestamp()
);

-- Make the next partition when fewer than `spare` positions are left. It holds about the events of a day at the pace of the last one.
-- Returns the last position for which there is a partition.
create function event_log_extend(spare bigint) returns bigint language plpgsql as $$
declare
        head bigint; --
        newest event_log_parts; --
        size bigint := 100000; --
begin
        select r.revision into strict head from revisions r where r.topic = 'events' for update; --
        select p.* into newest from event_log_parts p order by p.first desc limit 1; --
        if newest.last >= head + spare then
                return newest.last; --
        end if; --
        if newest.last is not null then
                size := greatest(size, spare, least(20000000, ceil((newest.last - newest.first)
                        / greatest(1, extract(epoch from statement_timestamp() - newest.made_at)) * 86400)::bigint)); --
        end if; --
        newest.first := coalesce(newest.last, head) + 1; --
        newest.last := newest.first + size - 1; --
        execute format('create table event_log_%s (like event_log)', newest.first); --
        execute format('alter table event_log attach partition event_log_%s for values from (%s) to (%s)',
                       newest.first, newest.first, newest.last + 1); --
        insert into event_log_parts (first, last) values (newest.first, newest.last); --
        return newest.last; --
end $$;

select event_log_extend(10000);

-- Drop partitions that are full and whose last event was published before `limit_at`, oldest first, `at_most` of them; with `really` off,
-- only count. Returns the number of their events. A partition that a long reader holds stays until the next turn.
create function event_log_prune(limit_at timestamptz, at_most bigint, really boolean) returns bigint language plpgsql as $$
declare
        old bigint[]; --
        events bigint; --
        each bigint; --
begin
        select array_agg(part.first), coalesce(sum(part.last - part.first + 1), 0) into old, events
          from (select p.first, p.last from event_log_parts p
                 where (select l.published_at < limit_at from event_log l where l.position = p.last)
                 order by p.first limit at_most
                   for update skip locked) as part; --
        if really and old is not null then
                set local lock_timeout = '200ms'; --
                foreach each in array old loop
                        execute format('drop table event_log_%s', each); --
                end loop; --
                delete from event_log_parts p where p.first = any(old); --
        end if; --
        return events; --
end $$;

drop table stream_events;
drop table streams;
drop table stream_pending;
drop table queue_revisions;
