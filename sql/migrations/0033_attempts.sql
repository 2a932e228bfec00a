-- :compatible
-- Endpoints: single deliveries of the last seven days, and secrets that are being replaced.

create table webhook_attempts (
        webhook_id uuid not null,
        event_id uuid not null,
        at timestamptz not null,
        position bigint not null,
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

-- Test events that clients ask for; the first instance that finds one sends it, once.
create table webhook_tests (
        event_id uuid primary key,
        webhook_id uuid not null,
        created_at timestamptz not null
);

create index webhook_tests_by_webhook on webhook_tests (webhook_id);

-- Events after after_position, up to until_position, that are sent once more. With only_failed those that were given up.
create table webhook_replays (
        webhook_id uuid primary key,
        id uuid not null,
        after_position bigint not null,
        until_position bigint not null,
        types text,
        only_failed boolean not null,
        created_at timestamptz not null
);

-- The version of an endpoint that answered 410; a job disables it.
alter table webhook_progress add column gone_version bigint;

create index webhook_progress_gone on webhook_progress (webhook_id) where gone_version is not null;
create index webhook_progress_failing on webhook_progress (failing_since) where failing_since is not null;

-- Whether an event tells that the delivery was given up.
alter table webhook_failures add column is_told boolean not null default false;

create index webhook_failures_to_tell on webhook_failures (webhook_id, position) where died_at is not null and not is_told;

-- Instances that deliver, so that they share the endpoints evenly.
create table webhook_deliverers (
        instance uuid primary key,
        seen_at timestamptz not null
) with (fillfactor = 50);
