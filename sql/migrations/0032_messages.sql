-- :compatible
-- Messages to customers: one row for each event, kind and medium. `event_id`: of a message by request, its own id. `recipient`: null
-- once the customer is erased. `due_at`: the time of the next attempt; while an instance sends it, the end of that lease.

create table notifications (
        id uuid primary key,
        order_id uuid not null,
        fulfillment_id uuid,
        refund_id uuid,
        event_id uuid not null,
        kind text collate "C" not null,
        medium text collate "C" not null,
        state text collate "C" not null,
        channel text collate "C" not null,
        locale text collate "C" not null,
        recipient text,
        message_id text,
        answer text,
        actor text not null,
        attempts bigint not null default 0,
        leased_by uuid,
        due_at timestamptz,
        sent_at timestamptz,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (event_id, kind, medium)
);
create index notifications_by_order on notifications (order_id, id);
create index notifications_to_send on notifications (due_at) where state = 'queued';
create index notifications_waiting_by_age on notifications (created_at) where state = 'queued';
create index notifications_by_age on notifications (created_at);

-- The position of the log up to which messages were planned: one row. No message is sent about earlier events.
create table notification_progress (
        single boolean primary key default true check (single),
        position bigint not null
);
insert into notification_progress (position) select coalesce(max(revision), 0) from revisions where topic = 'events';
