-- The queue of a location: its revision and its cards.

-- :name queues_raise_for_products
-- The queues of locations with a card that shows one of the products $1: also cards that hold no unit of them any more.
insert into revisions as r (topic, revision)
select 'queue/' || shown.location, 1
  from (select distinct s.location from stock s where s.sku = any($1::text[]) order by s.location) as shown
 cross join lateral (select card.number
                       from ((select 1 as number
                                from fulfillment_lines l
                               where l.location = shown.location and l.sku = any($1::text[]) and l.reserved > 0
                               limit 1)
                              union all
                             (select 2
                                from fulfillments f
                               cross join lateral (select from fulfillment_lines
                                                    where fulfillment_lines.order_id = f.order_id
                                                      and fulfillment_lines.fulfillment_id = f.id
                                                      and fulfillment_lines.sku = any($1::text[])
                                                   offset 0) as l
                               where f.location = shown.location and f.status in ('allocated', 'picking', 'ready', 'packed')
                               limit 1)) as card
                      limit 1) as card
    on conflict (topic) do update set revision = r.revision + 1
returning r.topic

-- :name queue_heads of queue_heads
-- $1 locations: whether they exist, the revisions of their queues, and the time.
select wanted.location, l.code is not null as exists, coalesce(r.revision, 0) as revision, clock_timestamp() as now
  from unnest($1::text[]) as wanted (location)
  left join lateral (select locations.code from locations where locations.code = wanted.location collate "C") as l on true
  left join lateral (select revisions.revision from revisions
                      where revisions.topic = 'queue/' || wanted.location collate "C") as r on true

-- :name queue_page of queue_places
-- The places of cards at location $1, at most $13, after rank $10, key $11 and id $12. Filters may be null: $2 statuses as
-- shown, $3 methods, $4 assignee, $5 promised before, $6 words (a pattern) of an order number or a name, $7 the last digits of
-- a phone (a pattern). $8 newest first, $9 by the time they were made.
select card.id, card.order_id, card.rank, card.key,
       (select o.customer ->> 'name' from orders o where o.id = card.order_id) as customer_name
  from (select f.id, f.order_id, f.method, f.assignee, f.promised_at, f.recipient,
               case when f.status = 'ready' and f.check_in <> 'none' then f.check_in else f.status end as shown,
               case when f.check_in = 'arrived' then 0::bigint else 1::bigint end as rank,
               case when f.check_in = 'arrived' then (extract(epoch from f.arrived_at) * 1000000)::bigint
                    else (case when $8::boolean then -1 else 1 end)
                         * (extract(epoch from case when $9::boolean then f.created_at else f.promised_at end)
                            * 1000000)::bigint end as key
          from fulfillments f
         where f.location = $1::text and f.status in ('allocated', 'picking', 'ready', 'packed')) as card
 where ($2::text[] is null or card.shown = any($2))
   and ($3::text[] is null or card.method = any($3))
   and ($4::text is null or card.assignee = $4)
   and ($5::timestamptz is null or card.promised_at < $5)
   and ($6::text is null or card.recipient ->> 'name' ilike $6
        or exists (select from orders o
                    where o.id = card.order_id
                      and (o.order_number ilike $6 or replace(o.order_number, '-', '') ilike $6 or o.customer ->> 'name' ilike $6
                           or regexp_replace(o.customer ->> 'phone', '[^0-9]', '', 'g') like $7)))
   and ($10::bigint is null or (card.rank, card.key, card.id) > ($10, $11::bigint, $12::uuid))
 order by card.rank, card.key, card.id
 limit $13::bigint

-- :name queue_counts of queue_counts
-- Number of cards of each queue of $1 in each status, number of overdue ones at $2, and the time of the next one.
select card.location,
       count(*) filter (where card.shown = 'allocated') as allocated,
       count(*) filter (where card.shown = 'arrived') as arrived,
       count(*) filter (where card.shown = 'on_the_way') as on_the_way,
       count(*) filter (where card.shown = 'packed') as packed,
       count(*) filter (where card.shown = 'picking') as picking,
       count(*) filter (where card.shown = 'ready') as ready,
       count(*) filter (where card.is_promise and card.promised_at <= $2::timestamptz) as overdue,
       min(card.promised_at) filter (where card.is_promise and card.promised_at > $2::timestamptz) as changes_at
  from (select f.location, f.promised_at, f.status in ('allocated', 'picking', 'packed') as is_promise,
               case when f.status = 'ready' and f.check_in <> 'none' then f.check_in else f.status end as shown
          from fulfillments f
         where f.location = any($1::text[]) and f.status in ('allocated', 'picking', 'ready', 'packed')) as card
 group by card.location
 order by card.location

-- :name stream_read of stream_events
-- Events of the fulfillments at location $1 after position $2, at most $3, with the members that only the timeline shows.
select l.position, l.id, l.type, l.order_id, l.subject_id::uuid as fulfillment_id, l.occurred_at,
       coalesce(told.data, l.data) as data
  from event_log l
  left join lateral (select events.data from events where events.id = l.id) as told on true
 where l.location = $1::text and l.subject_kind = 'fulfillments' and l.position > $2::bigint
 order by l.position
 limit $3::bigint

-- :name scan_orders
-- The order of number $2, with or without hyphens, if it has a part at location $1. For a bearer who takes returns ($3),
-- also if units of it have left from any location.
select o.id
  from orders o
 where o.order_number = any($2::text[])
   and (($3::boolean and exists (select from order_lines l where l.order_id = o.id and l.fulfilled > 0))
        or exists (select from fulfillments f where f.order_id = o.id and f.location = $1::text))

-- :name scan_codes of scanned_codes
-- Fulfillments that wait at location $1 under a pickup code, at most $2.
select f.id, f.pickup_serial
  from fulfillments f
 where f.location = $1::text and f.status in ('allocated', 'picking', 'ready', 'packed') and f.method <> 'ship'
 order by f.promised_at, f.id
 limit $2::bigint

-- :name scan_codes_of_old of scanned_codes
-- The latest $2 fulfillments that were collected at location $1 under a pickup code, for returns.
select f.id, f.pickup_serial
  from fulfillments f
 where f.location = $1::text and f.status = 'handed_over'
 order by f.promised_at desc, f.id desc
 limit $2::bigint

-- :name scan_products
-- By SKU $1 or GTIN $2 (which several may share), at most $3.
select p.sku from products p where p.sku = $1::text
union
select g.sku from (select p.sku from products p where p.gtin = $2::text and p.gtin is not null limit $3::bigint) as g
