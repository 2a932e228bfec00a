-- :compatible
-- Endpoints: single deliveries of the last seven days, and secrets that are being replaced.

create table webhook_attempts (
        webhook_id uuid not null,
        event_id uuid not null,
        at timestamptz not null,
        attempt bigint not null,
        is_ok boolean not null,
        status bigint not null,
        ms bigint not null,
        answer text,
        error text,
        next_at timestamptz,
        primary key (webhook_id, at, event_id)
);

create index webhook_attempts_by_result on webhook_attempts (webhook_id, is_ok, at, event_id);
create index webhook_attempts_of_event on webhook_attempts (event_id);
create index webhook_attempts_by_age on webhook_attempts (at);

-- A secret that was replaced signs besides the new one until this time.
alter table webhooks add column secret_previous text;
alter table webhooks add column previous_until timestamptz;
