-- :compatible
-- The cancelled units of a line that nobody collected in time. They come back when the fulfillment is reinstated. An older
-- program leaves 0 there; a fulfillment that it expires cannot be reinstated.
alter table fulfillment_lines
        add column expired bigint not null default 0,
        add check (expired >= 0 and moved + expired <= cancelled);

update fulfillment_lines l
   set expired = told.quantity
  from (select f.order_id, f.id as fulfillment_id, o.line, (item ->> 'quantity')::bigint as quantity
          from fulfillments f
          join events e on e.order_id = f.order_id and e.fulfillment_id = f.id and e.type = 'fulfillment.expired'
         cross join lateral jsonb_array_elements(e.data -> 'lines') as item
          join order_lines o on o.order_id = f.order_id and o.id = (item ->> 'order_line_id')::uuid
         where f.status = 'expired') as told
 where l.order_id = told.order_id and l.fulfillment_id = told.fulfillment_id and l.line = told.line
   and told.quantity between 0 and l.cancelled - l.moved;
