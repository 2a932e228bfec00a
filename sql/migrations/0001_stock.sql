-- Catalogue, stock and its ledger, reservations, events, idempotency.
--
-- Codes are text collate "C": byte order is the lock order, in SQL and in C alike. Every time is timestamptz. Counts
-- and amounts are bigint. No statement names a schema: one market is one schema.

create table channels (
        code text collate "C" primary key,
        name text not null,
        kind text not null,
        version bigint not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null
);

create table locations (
        code text collate "C" primary key,
        name text not null,
        kind text not null,
        latitude double precision,
        longitude double precision,
        time_zone text not null,
        country text not null,
        capabilities text[] not null,
        opening_hours jsonb not null,
        closures jsonb not null,
        lead_time_s bigint not null,
        hold_for_s bigint not null,
        version bigint not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        check ((latitude is null) = (longitude is null))
);

create table products (
        sku text collate "C" primary key,
        title text not null,
        gtin text collate "C",
        price_amount bigint,
        price_currency text,
        description text,
        image_url text,
        returnable boolean not null,
        attributes jsonb not null,
        version bigint not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        check ((price_amount is null) = (price_currency is null))
);

create index products_by_gtin on products (gtin) where gtin is not null;

create table listings (
        channel text collate "C" not null references channels,
        sku text collate "C" not null references products,
        title text,
        price_amount bigint,
        price_currency text,
        external_sku text,
        published boolean not null,
        version bigint not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        primary key (channel, sku),
        check ((price_amount is null) = (price_currency is null))
);

-- One row per SKU and location: the row whose lock decides who gets the last unit. `reserved` is at every moment the sum of
-- held reservation lines and of allocated fulfillment lines; the check is the last line of defence, not the rule.
create table stock (
        location text collate "C" not null references locations,
        sku text collate "C" not null references products,
        on_hand bigint not null default 0,
        unsellable bigint not null default 0,
        reserved bigint not null default 0,
        safety_stock bigint not null default 0,
        movements bigint not null default 0, -- how many ledger rows there are: the number of the last one
        primary key (location, sku),
        constraint stock_is_not_oversold check (reserved >= 0 and unsellable >= 0 and safety_stock >= 0
                and reserved + unsellable <= on_hand)
) with (fillfactor = 80);

create index stock_by_sku on stock (sku, location);

-- Why on_hand and unsellable are what they are. Append only; numbered per stock row under that row's lock.
create table ledger (
        location text collate "C" not null,
        sku text collate "C" not null,
        number bigint not null,
        reason text not null,
        on_hand_change bigint not null,
        unsellable_change bigint not null,
        on_hand_after bigint not null,
        unsellable_after bigint not null,
        document text, -- what caused it: "order/<id>", "fulfillment/<id>", "adjustment/<id>"
        reference text, -- the client's own word for it
        actor text not null,
        recorded_at timestamptz not null,
        primary key (location, sku, number)
);

create table reservations (
        id uuid primary key,
        location text collate "C" not null,
        channel text collate "C",
        reference text,
        status text not null check (status in ('active', 'claimed', 'released', 'expired')),
        reason text, -- why it was released: null for the client's own wish
        order_id uuid, -- that claimed it
        expires_at timestamptz not null,
        actor text not null,
        version bigint not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null
) with (fillfactor = 90);

create index reservations_to_expire on reservations (expires_at) where status = 'active';

-- `held` and `expires_at` change only under the lock of the stock row, so whoever holds that row may free lapsed lines
-- on it without the reservation.
create table reservation_lines (
        reservation_id uuid not null,
        line bigint not null,
        location text collate "C" not null,
        sku text collate "C" not null,
        quantity bigint not null check (quantity > 0),
        held boolean not null,
        expires_at timestamptz not null,
        primary key (reservation_id, line)
) with (fillfactor = 90);

create index reservation_lines_held on reservation_lines (location, sku, expires_at) where held;

-- What happened, written in the transaction in which it happened.
create table events (
        id uuid primary key,
        type text not null,
        order_id uuid,
        fulfillment_id uuid,
        reservation_id uuid,
        location text collate "C",
        actor text not null,
        data jsonb not null,
        occurred_at timestamptz not null
);

create index events_by_order on events (order_id, occurred_at, id) where order_id is not null;

create table idempotency (
        id uuid primary key, -- first 16 bytes of SHA-256 over subject, method, path and key
        fingerprint bytea not null,
        status bigint not null,
        location text,
        etag text,
        body text not null,
        created_at timestamptz not null
);

create index idempotency_by_age on idempotency (created_at);
