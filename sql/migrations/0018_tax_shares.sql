-- The tax of an order is dealt over its lines and kept with them, as their value is; returns and refunds say how much of it is in
-- them. An older program would place orders whose lines have no tax: none may go on beside this.

-- In the part of the credit that no line tells.
alter table orders add column adjusted_tax bigint not null default 0;

alter table order_lines
        add column tax bigint not null default 0, -- in its value, be it included or on top
        add column settled_tax bigint not null default 0, -- in settled_value
        add column cancelled_value bigint not null default 0, -- of cancelled units
        add column cancelled_tax bigint not null default 0;

alter table refunds add column tax bigint not null default 0;

alter table returns
        add column shipping_tax bigint not null default 0,
        add column withheld_tax bigint not null default 0;

-- In the refund.
alter table return_lines add column tax bigint not null default 0;

-- Existing orders: by the largest remainder over the value of the lines, and of the shipping when prices include the tax.
with parts as (
        select l.order_id, l.line, l.value::numeric as weight, o.tax::numeric as tax
          from order_lines l join orders o on o.id = l.order_id
         where o.tax > 0
         union all
        select o.id, 1000000, o.shipping, o.tax
          from orders o
         where o.tax > 0 and o.tax_included
), weighed as (
        select *, sum(weight) over (partition by order_id) as whole, count(*) over (partition by order_id) as n from parts
), shared as (
        select order_id, line, tax, n,
               case when whole > 0 then div(tax * weight, whole) else div(tax, n) end as share,
               case when whole > 0 then mod(tax * weight, whole) else mod(tax, n) end as remainder
          from weighed
), dealt as (
        select order_id, line,
               share + (row_number() over (partition by order_id order by remainder desc, line)
                        <= tax - sum(share) over (partition by order_id))::int as tax
          from shared
)
update order_lines l
   set tax = dealt.tax
  from dealt
 where l.order_id = dealt.order_id and l.line = dealt.line;

update order_lines
   set settled_tax = div(tax::numeric * settled, quantity::numeric),
       cancelled_value = case when returned > 0 then div(value::numeric * cancelled, quantity::numeric)
                              else settled_value + case when quantity > settled
                                   then div((value - settled_value)::numeric * (cancelled - settled), (quantity - settled)::numeric)
                                   else 0 end end,
       cancelled_tax = div(tax::numeric * cancelled, quantity::numeric)
 where tax > 0 or cancelled > 0 or settled > 0;

-- Earlier decisions have their part of the tax in proportion, rounded down.
update orders set adjusted_tax = div(tax::numeric * adjusted, total::numeric) where adjusted <> 0 and tax > 0 and total > 0;

update refunds r
   set tax = div(o.tax::numeric * r.amount, o.total::numeric)
  from orders o
 where o.id = r.order_id and o.tax > 0 and o.total > 0;

update return_lines r
   set tax = div(l.tax::numeric * r.quantity * r.refund, l.quantity::numeric * r.value)
  from order_lines l
 where l.order_id = r.order_id and l.line = r.order_line and l.tax > 0 and r.value > 0;

update returns r
   set withheld_tax = div(o.tax::numeric * r.withheld, o.total::numeric),
       shipping_tax = case when r.shipping > 0 and o.tax_included
                           then greatest(o.tax - (select sum(l.tax) from order_lines l where l.order_id = o.id), 0) else 0 end
  from orders o
 where o.id = r.order_id and o.tax > 0 and o.total > 0 and (r.withheld > 0 or r.shipping > 0);
