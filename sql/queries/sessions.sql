-- Sessions of the service, as the database sees them.

-- :name sessions_end_silent free
-- End the sessions of the service whose client has said nothing for $1 ms in the middle of a trip, and count them. Such a session is
-- `active`: the server waits for the rest of the trip, or for its answers to be read, and no timeout of PostgreSQL 15 counts. Of those
-- that write answers only those that may have locked rows are ended, so that a slow reader of a long list may go on.
select count(*) filter (where pg_terminate_backend(a.pid))
  from pg_stat_activity a
 where a.datname = current_database() and a.usename = current_user and a.application_name like 'holdfast%'
   and a.pid <> pg_backend_pid() and a.state = 'active' and a.xact_start is not null
   and a.query_start < clock_timestamp() - $1::bigint * interval '1 millisecond'
   and (a.wait_event = 'ClientRead'
        or (a.wait_event = 'ClientWrite'
            and exists (select from pg_locks l where l.pid = a.pid and l.mode in ('RowShareLock', 'RowExclusiveLock'))))
