-- :compatible
-- Readers of the log of events whose position the service keeps.

create table consumers (
        name text collate "C" primary key,
        types text,
        position bigint not null,
        version bigint not null,
        updated_at timestamptz not null
) with (fillfactor = 50);
