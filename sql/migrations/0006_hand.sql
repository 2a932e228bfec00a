-- From the shelf to the hand: who is on the way, who may collect, and what happens when nobody does.

alter table fulfillments
        add column check_in text not null default 'none' check (check_in in ('none', 'on_the_way', 'arrived')),
        add column eta_minutes bigint, -- counted from on_the_way_at
        add column bay text,
        add column vehicle_make text,
        add column vehicle_color text,
        add column vehicle_plate text,
        add column on_the_way_at timestamptz, -- when it was last said
        add column arrived_at timestamptz,
        add column waited_s bigint, -- from the arrival to the hand-over
        add column remind_at timestamptz, -- null: no reminder is due any more
        add column recipient jsonb, -- who else may collect
        add column link_digest bytea check (length(link_digest) = 32), -- SHA-256 of the customer's link
        add column link_expires_at timestamptz;

create index fulfillments_to_expire on fulfillments (hold_until) where status = 'ready';
create index fulfillments_to_remind on fulfillments (remind_at) where status = 'ready' and remind_at is not null;

-- How a customer may prove who they are.
alter table locations add column handover_methods text[] not null default '{code,id_check}';
