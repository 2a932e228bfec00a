-- Orders, their fulfillments, and what each line has come to.

create table orders (
        id uuid primary key,
        order_number text collate "C" not null unique,
        channel text collate "C" not null,
        external_ref text collate "C" not null,
        status text not null check (status in ('open', 'partially_fulfilled', 'fulfilled', 'cancelled')),
        payment_status text not null check (payment_status in ('pending', 'authorized', 'captured',
                'partially_refunded', 'refunded', 'voided')),
        payment_reference text,
        payment_due_at timestamptz, -- unpaid after this, it is cancelled; null: never
        currency text not null,
        customer jsonb not null, -- name, email, phone, customer_id
        ship_to jsonb,
        subtotal bigint not null,
        discount bigint not null,
        shipping bigint not null,
        tax bigint not null,
        tax_included boolean not null,
        total bigint not null,
        refunded bigint not null default 0,
        refund_due bigint not null default 0, -- for units cancelled after they were paid
        reservation_id uuid, -- that it claimed
        cancel_reason text,
        actor text not null,
        version bigint not null default 1,
        placed_at timestamptz not null,
        updated_at timestamptz not null,
        unique (channel, external_ref)
) with (fillfactor = 80);

create index orders_by_age on orders (placed_at, id);
create index orders_by_change on orders (updated_at, id);
create index orders_unpaid on orders (payment_due_at) where payment_status = 'pending' and status <> 'cancelled';

create table order_lines (
        order_id uuid not null,
        line bigint not null,
        id uuid not null,
        sku text collate "C" not null,
        title text not null,
        quantity bigint not null check (quantity > 0),
        unit_price bigint not null,
        cancelled bigint not null default 0,
        fulfilled bigint not null default 0,
        returned bigint not null default 0,
        primary key (order_id, line),
        check (cancelled >= 0 and fulfilled >= 0 and returned >= 0 and cancelled + fulfilled <= quantity
                and returned <= fulfilled)
) with (fillfactor = 80);

create table order_discounts (
        order_id uuid not null,
        number bigint not null,
        amount bigint not null,
        line bigint, -- null: the whole order
        reason text,
        primary key (order_id, number)
);

-- The unit of work for a location: the lines of an order that share method and location.
create table fulfillments (
        id uuid primary key,
        order_id uuid not null,
        number bigint not null, -- within its order
        method text not null check (method in ('pickup', 'curbside', 'ship')),
        location text collate "C" not null,
        status text not null,
        reason text, -- why it was rejected or cancelled
        promised_at timestamptz not null,
        hold_until timestamptz, -- from ready on: when it expires
        assignee text,
        staging_location text,
        pickup_serial bigint not null default 1, -- raised to issue another code
        wrong_codes bigint not null default 0,
        locked_until timestamptz,
        handover jsonb, -- how it was proven and to whom; never the code, never an ID number
        packages jsonb not null default '[]',
        version bigint not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null
) with (fillfactor = 80);

create index fulfillments_by_order on fulfillments (order_id, id);
create index fulfillments_by_location on fulfillments (location, status, promised_at, id);

create table fulfillment_lines (
        order_id uuid not null,
        fulfillment_id uuid not null,
        line bigint not null, -- of the order
        location text collate "C" not null,
        sku text collate "C" not null,
        quantity bigint not null check (quantity > 0),
        picked bigint not null default 0,
        short bigint not null default 0,
        cancelled bigint not null default 0,
        fulfilled bigint not null default 0,
        reserved bigint not null, -- units of the location's stock held for it now
        primary key (order_id, fulfillment_id, line),
        check (picked >= 0 and short >= 0 and cancelled >= 0 and fulfilled >= 0
                and reserved = quantity - short - cancelled - fulfilled and reserved >= 0
                and picked <= quantity - short - cancelled)
) with (fillfactor = 80);

create index fulfillment_lines_reserved on fulfillment_lines (location, sku) where reserved > 0;
