-- A retailer with :locations locations, :stock rows of stock and :orders orders of one or two lines, each paid. Run by files.py.
insert into channels (code, name, kind, created_at, updated_at) select code, code, 'web', now(), now() from unnest(array['web', 'app', 'market']) as c (code);
insert into locations (code, name, kind, time_zone, country, capabilities, opening_hours, closures, lead_time_s, hold_for_s, created_at, updated_at)
select 'l' || to_char(n, 'FM000'), 'Store ' || n, 'store', 'Europe/Berlin', 'DE', '{pickup,ship}', '[]', '[]', 7200, 604800, now(), now()
  from generate_series(0, :locations - 1) as n;
insert into products (sku, title, price_amount, price_currency, returnable, attributes, created_at, updated_at)
select 'sku-' || to_char(n, 'FM000000'), 'Rain jacket no. ' || n || ', "blue"', 1999, 'EUR', true, '{}', now(), now()
  from generate_series(0, :stock / :locations - 1) as n;
insert into stock (location, sku, on_hand, movements)
select l.code, p.sku, 100000, 1 from locations l cross join products p order by l.code, p.sku;
insert into ledger (location, sku, number, reason, on_hand_change, unsellable_change, on_hand_after, unsellable_after, actor, recorded_at)
select s.location, s.sku, 1, 'count', 100000, 0, 100000, 0, 'import', now() from stock s;

-- Nine of ten are closed. They come in no order of time, as files do.
insert into orders (id, order_number, channel, external_ref, status, payment_status, currency, customer, ship_to, subtotal, discount, shipping,
                    tax, tax_included, total, paid, actor, placed_at, updated_at)
select gen_random_uuid(), 'N' || n, (array['web', 'app'])[1 + n % 2], 'shop-' || n, (array['fulfilled', 'open'])[1 + (n % 10 = 0)::int], 'captured', 'EUR',
       jsonb_build_object('name', 'Ada Lovelace ' || n, 'email', 'ada.' || n || '@example.com', 'phone', '+49 40 ' || n, 'customer_id', n::text),
       jsonb_build_object('name', 'Ada', 'line1', 'Street ' || n, 'city', 'Berlin', 'postal_code', '10115', 'country', 'DE'),
       1999 * (1 + n % 2), 0, 490, 300, true, 1999 * (1 + n % 2) + 490, 1999 * (1 + n % 2) + 490, 'import',
       '2024-01-01'::timestamptz + hashint8(n)::bigint % 500 * interval '1 day' + n % 86400 * interval '1 second', now()
  from generate_series(1, :orders) as n;
insert into order_lines (order_id, line, id, sku, title, quantity, unit_price, fulfilled, value, tax)
select o.id, line, gen_random_uuid(), 'sku-' || to_char((substr(o.order_number, 2)::bigint * 7 + line) % (:stock / :locations), 'FM000000'), 'Rain jacket', 1, 1999,
       (o.status = 'fulfilled')::int, 1999, 150
  from orders o cross join generate_series(0, 1) as line
 where line = 0 or o.subtotal > 1999;
insert into payments (id, order_id, number, provider, reference, status, amount, authorized, captured, voided, capture_due, refunded, actor, created_at, updated_at)
select gen_random_uuid(), o.id, 1, 'psp', 'ref-' || o.order_number, 'captured', o.total, o.total, o.total, 0, 0, 0, 'import', o.placed_at, o.placed_at from orders o;
insert into order_places (order_id, location, channel, status, placed_at, updated_at)
select o.id, 'l' || to_char(substr(o.order_number, 2)::bigint % :locations, 'FM000'), o.channel, o.status, o.placed_at, o.updated_at from orders o;
insert into events (id, type, order_id, subject_kind, subject_id, actor, data, occurred_at)
select gen_random_uuid(), 'order.created', o.id, 'orders', o.id, 'import', '{"country": "Germany"}', o.placed_at from orders o;
vacuum (analyze);
