-- The work of a location as its staff see it: how often it has changed, and a stream of what happened there.

-- One row per location, counted up by every transaction that changes what its queue shows, as the last thing before the
-- commit. Its value names a state of the queue: who has seen it has seen all that was committed before.
create table queue_revisions (
        location text collate "C" primary key,
        revision bigint not null
) with (fillfactor = 50);

insert into queue_revisions (location, revision)
select code, 1 from locations;

-- The queue itself: what is still in the house.
create index fulfillments_in_queue on fulfillments (location, promised_at, id)
 where status in ('allocated', 'picking', 'ready', 'packed');

-- Events of a location that have no place in its stream yet. The number only orders what one document has gone through: a
-- later change waits for the lock of an earlier one. Across documents it tells nothing, because sequences do not
-- commit in order.
create table stream_pending (
        number bigint generated always as identity primary key,
        location text collate "C" not null,
        event_id uuid not null
);

-- How far the stream of a location has been published; whoever publishes holds the row.
create table streams (
        location text collate "C" primary key,
        position bigint not null
) with (fillfactor = 50);

insert into streams (location, position)
select code, 0 from locations;

-- Places are given at publication, in the order of commits, without a gap; rows are never changed.
create table stream_events (
        location text collate "C" not null,
        position bigint not null,
        event_id uuid not null,
        published_at timestamptz not null,
        primary key (location, position)
);

create index stream_events_by_age on stream_events (published_at);
