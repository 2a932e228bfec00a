-- What a Debezium connector needs in the database, for a market in schema holdfast. Run it once as superuser, in the database of the service:
--
--     psql -v ON_ERROR_STOP=1 -v password="$(cat debezium_password)" -f publication.sql
--
-- The role reads the log of events and nothing else. The publication names the log as one table, whatever its partitions are.

create role debezium login replication password :'password';
grant usage on schema holdfast to debezium;
grant select on holdfast.event_log to debezium;

-- The connector writes here every ten seconds, so its slot moves on while other tables or databases are busy and no event comes.
create schema debezium;
create table debezium.heartbeat (
        id integer primary key,
        beat_at timestamptz not null
);
grant usage on schema debezium to debezium;
grant select, insert, update on debezium.heartbeat to debezium;

create publication holdfast_events for table holdfast.event_log, debezium.heartbeat with (publish = 'insert', publish_via_partition_root = true);
