-- Channels, locations, products and listings. Every look-up returns one row for each key, in the keys' order, whether the
-- record exists or not. Locks are the weakest that keep writers apart: rows that refer to a record need not wait.

-- :name channels_read
-- $1 codes, sorted, no duplicates.
select wanted.code, c.code is not null, c.name, c.kind, c.version, c.created_at, c.updated_at
  from unnest($1::text[]) as wanted (code)
  left join channels c on c.code = wanted.code collate "C"
 order by wanted.code collate "C"

-- :name locations_read
-- $1 codes, sorted, no duplicates.
select wanted.code, l.code is not null, l.name, l.kind, l.latitude, l.longitude, l.time_zone, l.country, l.capabilities,
       l.opening_hours, l.closures, l.lead_time_s, l.hold_for_s, l.version, l.created_at, l.updated_at
  from unnest($1::text[]) as wanted (code)
  left join locations l on l.code = wanted.code collate "C"
 order by wanted.code collate "C"

-- :name products_find
-- $1 SKUs, sorted, no duplicates. Without what is long and of no use to an order.
select wanted.sku, p.sku is not null, p.title, p.gtin, p.price_amount, p.price_currency, p.image_url, null::text,
       null::jsonb, p.returnable, p.version, p.created_at, p.updated_at
  from unnest($1::text[]) as wanted (sku)
  left join products p on p.sku = wanted.sku collate "C"
 order by wanted.sku collate "C"

-- :name listings_read
-- $1 channels, $2 SKUs (same length, sorted, no duplicates).
select wanted.channel, wanted.sku, l.sku is not null, l.title, l.price_amount, l.price_currency, l.external_sku, l.published,
       l.version, l.created_at, l.updated_at, c.code is not null, p.sku is not null
  from unnest($1::text[], $2::text[]) as wanted (channel, sku)
  left join channels c on c.code = wanted.channel collate "C"
  left join products p on p.sku = wanted.sku collate "C"
  left join listings l on l.channel = wanted.channel collate "C" and l.sku = wanted.sku collate "C"
 order by wanted.channel collate "C", wanted.sku collate "C"
