-- The business policy of a channel: re-sourcing, and the time that an order may stay unpaid. Older programs leave unpaid_since behind
-- when an order is paid, so they must stop.

-- Null: the channel does not say, so the setting of the service holds.
alter table channels
        add column resourcing boolean,
        add column resourcing_radius_km bigint, -- 0: no limit
        add column unpaid_ttl_s bigint, -- 0: unpaid orders are never cancelled
        add check (resourcing_radius_km between 0 and 20000),
        add check (unpaid_ttl_s >= 0);

-- Since when the order waits for payment under the policy of its channel; null: it does not. Orders placed before keep the deadline that
-- they have, or none.
alter table orders add column unpaid_since timestamptz;

drop index orders_unpaid;
create index orders_unpaid on orders (payment_due_at)
 where payment_due_at is not null and payment_status = 'pending' and status in ('open', 'partially_fulfilled');
create index orders_unpaid_by_channel on orders (channel, unpaid_since)
 where unpaid_since is not null and payment_status = 'pending' and status in ('open', 'partially_fulfilled');
