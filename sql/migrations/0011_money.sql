-- Payments and refunds are axes of their own: rows of their order. What the customer no longer owes is credited.

alter table orders
        add column credited bigint not null default 0, -- of the total: cancelled, returned, appeased
        add column adjusted bigint not null default 0, -- the part of it that no line tells; below 0: withheld
        -- Taken by all payments.
        add column paid bigint not null default 0;

-- What all units of the line cost: with its part of the order's discounts, and of a tax on top.
alter table order_lines add column value bigint not null default 0;

create table payments (
        id uuid primary key,
        order_id uuid not null,
        number bigint not null, -- within its order, from 1
        provider text,
        reference text,
        status text not null check (status in ('pending', 'authorized', 'partially_captured', 'captured', 'voided', 'failed')),
        amount bigint not null,
        authorized bigint not null,
        captured bigint not null,
        voided bigint not null,
        capture_due bigint not null, -- asked for by a hand-over, not yet answered
        refunded bigint not null, -- by refunds that have not failed
        actor text not null,
        version bigint not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (order_id, number),
        check (captured >= 0 and voided >= 0 and capture_due >= 0 and refunded >= 0
                and captured + voided + capture_due <= authorized and authorized <= amount
                and refunded <= captured + capture_due)
) with (fillfactor = 80);

create table refunds (
        id uuid primary key,
        order_id uuid not null,
        number bigint not null, -- within its order, from 1
        payment_id uuid, -- null: store credit
        return_id uuid, -- null: no return
        amount bigint not null check (amount > 0),
        destination text not null check (destination in ('original', 'store_credit')),
        status text not null check (status in ('pending', 'issued', 'settled', 'failed')),
        reason text not null,
        reference text,
        actor text not null,
        version bigint not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (order_id, number),
        check ((destination = 'original') = (payment_id is not null))
) with (fillfactor = 80);

-- What the provider has told of a payment, once for each of its event ids.
create table payment_events (
        payment_id uuid not null,
        event_id text collate "C" not null,
        type text not null,
        content bytea not null, -- SHA-256 of what it says
        recorded_at timestamptz not null,
        primary key (payment_id, event_id)
);

-- Orders that are there: the value of each line, by the largest remainder as for new ones.
with gross as (
        select l.order_id, l.line,
               (l.unit_price * l.quantity
                - coalesce((select sum(d.amount) from order_discounts d where d.order_id = l.order_id and d.line = l.line), 0))::numeric as weight,
               coalesce((select sum(d.amount) from order_discounts d where d.order_id = l.order_id and d.line is null), 0)::numeric as dealt,
               case when o.tax_included then 0 else o.tax end::numeric as tax
          from order_lines l join orders o on o.id = l.order_id
), weighed as (
        select *, sum(weight) over (partition by order_id) as whole, count(*) over (partition by order_id) as n from gross
), discounted as (
        select order_id, line, weight, dealt, tax, n,
               case when whole > 0 then div(dealt * weight, whole) else div(dealt, n) end as share,
               case when whole > 0 then mod(dealt * weight, whole) else mod(dealt, n) end as remainder
          from weighed
), net as (
        select order_id, line, tax, n,
               weight - share - (row_number() over (partition by order_id order by remainder desc, line)
                                 <= dealt - sum(share) over (partition by order_id))::int as weight
          from discounted
), taxed as (
        select order_id, line, weight, tax,
               case when whole > 0 then div(tax * weight, whole) else div(tax, n) end as share,
               case when whole > 0 then mod(tax * weight, whole) else mod(tax, n) end as remainder
          from (select *, sum(weight) over (partition by order_id) as whole from net) as net_whole
), valued as (
        select order_id, line,
               weight + share + (row_number() over (partition by order_id order by remainder desc, line)
                                 <= tax - sum(share) over (partition by order_id))::int as value
          from taxed
)
update order_lines l
   set value = valued.value
  from valued
 where l.order_id = valued.order_id and l.line = valued.line;

update orders o
   set credited = (select coalesce(sum(div(l.value::numeric * l.cancelled, l.quantity::numeric)), 0) from order_lines l where l.order_id = o.id)
                  + case when o.status = 'cancelled' then o.shipping else 0 end,
       paid = case when o.payment_status in ('captured', 'partially_refunded', 'refunded') then o.total else 0 end;

insert into payments (id, order_id, number, reference, status, amount, authorized, captured, voided, capture_due, refunded,
                      actor, created_at, updated_at)
select gen_random_uuid(), o.id, 1, o.payment_reference,
       case when o.paid > 0 or o.payment_status in ('captured', 'partially_refunded', 'refunded') then 'captured' else o.payment_status end,
       o.total, case when o.payment_status in ('pending', 'voided') then 0 else o.total end, o.paid, 0, 0, o.refunded, o.actor,
       o.placed_at, o.updated_at
  from orders o;

insert into refunds (id, order_id, number, payment_id, amount, destination, status, reason, actor, created_at, updated_at)
select gen_random_uuid(), o.id, 1, p.id, o.refunded, 'original', 'settled', 'refunded before', o.actor, o.updated_at, o.updated_at
  from orders o join payments p on p.order_id = o.id
 where o.refunded > 0;
