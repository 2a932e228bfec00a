-- Events that no timeline shows are only in the log. Older programs do not publish them, so they must stop.

-- Beside each id: the event, or null if it is in `events`.
alter table events_due add column loose jsonb[];

-- A new id of an event, ordered by time (RFC 9562, version 7).
create function event_id() returns uuid language sql volatile
        return encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
                                              placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
                                              from 1 for 6), 52, 1), 53, 1), 'hex')::uuid;

-- Tell a new version of a document whose command did not load it: one of the last statements of a transaction.
create function event_cover(type text, kind text, document uuid, version bigint, location text, channel text) returns void
language sql volatile
begin atomic
        insert into events_due (ids, loose)
        select array[new.id],
               array[jsonb_build_object('id', new.id, 'type', type, 'subject_kind', kind, 'subject_id', document, 'version', version,
                                        'location', location, 'channel', channel, 'occurred_at', clock_timestamp(),
                                        'data', jsonb_build_object('version', version))]
          from (select event_id() as id offset 0) as new; --
end;
