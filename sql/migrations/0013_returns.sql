-- Goods that come back: what may, what became of them, and what they were worth.

-- What a product says goes before what its channel says, member by member.
alter table channels add column return_policy jsonb;
alter table products add column return_policy jsonb;

-- A return belongs to its order: whoever changes it holds the lock of the order. Its status is a projection of its lines.
create table returns (
        id uuid primary key,
        return_number text collate "C" not null unique,
        order_id uuid not null,
        location text collate "C" not null, -- where it is expected, or was brought
        status text not null check (status in ('authorized', 'partially_received', 'received', 'lost', 'cancelled')),
        by_post boolean not null,
        overridden boolean not null, -- a supervisor let it pass the policy
        shipping bigint not null default 0, -- of the order: given back, since with this return all of it came back
        withheld bigint not null default 0, -- of what it comes to: decided not to be refunded
        refund_to text check (refund_to in ('original', 'store_credit', 'none')), -- the last word on it; null: not decided yet
        exchange jsonb, -- the lines of the order that replace what came back
        unexpected jsonb not null default '[]', -- goods that came with it and are not of the order
        cancel_reason text,
        actor text not null,
        moved_by text, -- who brought it to where it stands
        version bigint not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null
) with (fillfactor = 80);

create index returns_by_order on returns (order_id, id);
create index returns_by_location on returns (location, created_at, id);
create index returns_by_age on returns (created_at, id);

-- Units of one line of the order that have gone the same way; a line is split when they part.
create table return_lines (
        return_id uuid not null,
        line bigint not null,
        id uuid not null,
        order_id uuid not null,
        order_line bigint not null, -- its number within the order
        sku text collate "C" not null,
        quantity bigint not null check (quantity > 0),
        reason text not null,
        announced boolean not null, -- false: it only showed when the parcel was opened
        reception text not null check (reception in ('awaiting', 'received', 'lost', 'cancelled')),
        acceptance text not null check (acceptance in ('pending', 'accepted', 'rejected')),
        condition text check (condition in ('sellable', 'damaged', 'quarantine')),
        disposition text check (disposition in ('restock', 'damaged', 'quarantine', 'vendor', 'destroy')),
        bucket text not null check (bucket in ('none', 'sellable', 'unsellable', 'gone')),
        location text collate "C", -- where it was received
        value bigint not null default 0, -- what was paid for the units; told when they are accepted
        fee bigint not null default 0, -- kept for restocking
        refund bigint not null default 0, -- what they come to by the policy
        terms jsonb not null, -- the policy as it was when the return was made
        note text, -- why they were rejected
        received_at timestamptz,
        primary key (return_id, line),
        check ((acceptance = 'pending') = (reception <> 'received')),
        check ((bucket = 'none') = (acceptance <> 'accepted')),
        check (fee >= 0 and refund >= 0 and fee + refund <= value)
) with (fillfactor = 80);

create index return_lines_by_order on return_lines (order_id, order_line);
-- Who brings goods back without a receipt is found by the address or the number they gave.
create index orders_by_email on orders (lower(customer ->> 'email')) where customer ->> 'email' is not null;
create index orders_by_phone on orders ((customer ->> 'phone')) where customer ->> 'phone' is not null;

create index return_lines_by_place on return_lines (location, sku) where location is not null;
