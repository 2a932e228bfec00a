-- :compatible
-- Endpoints that get the events of the log by POST.

create table webhooks (
        id uuid primary key,
        url text not null,
        types text not null,
        locations text,
        channels text,
        description text,
        mode text not null,
        max_in_flight bigint not null,
        state text not null,
        secret text not null,
        secret_hint text not null,
        actor text not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        version bigint not null default 1
);

-- How far each endpoint is. The instance that has the lease delivers. All events up to the cursor are delivered, or have a row below.
create table webhook_progress (
        webhook_id uuid primary key,
        cursor bigint not null,
        leased_by uuid,
        leased_until timestamptz,
        failing_since timestamptz,
        last_success_at timestamptz
) with (fillfactor = 50);

create index webhook_progress_by_lease on webhook_progress (leased_by);

-- Events that failed, or wait for a failed one of their subject; with died_at those that are no longer sent.
create table webhook_failures (
        webhook_id uuid not null,
        position bigint not null,
        event_id uuid not null,
        attempts bigint not null,
        due_at timestamptz,
        died_at timestamptz,
        primary key (webhook_id, position)
);

create index webhook_failures_by_death on webhook_failures (died_at) where died_at is not null;
