-- Units that a location does not have after all may come from another one.

-- The fulfillment that fell short of its units; null: it was placed with its order.
alter table fulfillments
        add column replaces uuid;

-- Of what is short: units that another fulfillment has taken over.
alter table fulfillment_lines
        add column resourced bigint not null default 0,
        add check (resourced >= 0 and resourced <= short);
