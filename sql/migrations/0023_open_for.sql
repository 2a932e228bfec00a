-- Each order tells why it is open, so that pruning and erasure read the rule of the program instead of repeating it. Older programs do
-- not write it, so they must stop.

-- Why the order is open, or null when it is closed; and how many of its returns have goods on their way back.
alter table orders
        add column open_for text collate "C" default 'units',
        add column returns_awaited bigint not null default 0;

update orders o
   set returns_awaited = awaited.n
  from (select order_id, count(*) as n from returns where status in ('authorized', 'partially_received') group by order_id) as awaited
 where o.id = awaited.order_id;

update orders o
   set open_for = found.reason
  from (select id,
               case when status not in ('fulfilled', 'cancelled') then 'unfulfilled'
                    when returns_awaited > 0 then 'goods'
                    when exists (select from payments p where p.order_id = orders.id and p.capture_due > 0) then 'capture'
                    when refund_due <> 0 then 'refund_due'
                    when exists (select from refunds r where r.order_id = orders.id and r.status not in ('settled', 'failed')) then 'refund'
               end as reason
          from orders
         where not exists (select from fulfillments f
                            where f.order_id = orders.id and f.status in ('allocated', 'picking', 'ready', 'packed'))) as found
 where o.id = found.id;
