-- Channels, locations, products and listings. Every look-up returns one row for each key, in the keys' order, whether the
-- record exists or not. Locks are the weakest that keep writers apart: rows that refer to a record need not wait for them.

-- :name channels_read of channels
-- $1 codes, sorted, no duplicates; so below.
select wanted.code, c.code is not null as exists, c.name, c.kind, c.return_policy, c.notifications, c.resourcing, c.resourcing_radius_km, c.unpaid_ttl_s,
       c.version, c.created_at, c.updated_at
  from unnest($1::text[]) as wanted (code)
  left join channels c on c.code = wanted.code collate "C"
 order by wanted.code collate "C"

-- :name channels_lock of channels
select wanted.code, c.code is not null as exists, c.name, c.kind, c.return_policy, c.notifications, c.resourcing, c.resourcing_radius_km, c.unpaid_ttl_s,
       c.version, c.created_at, c.updated_at
  from unnest($1::text[]) as wanted (code)
  left join lateral (select * from channels
                      where channels.code = wanted.code collate "C"
                        for no key update) as c on true
 order by wanted.code collate "C"

-- :name channels_insert of channels
-- A rival that inserts the same code first is a unique violation: the batch runs again and finds it. So below.
insert into channels (code, name, kind, return_policy, notifications, resourcing, resourcing_radius_km, unpaid_ttl_s, version, created_at,
                      updated_at)
select code, name, kind, return_policy, notifications, resourcing, resourcing_radius_km, unpaid_ttl_s, version, created_at, updated_at
  from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::jsonb[], $6::boolean[], $7::bigint[], $8::bigint[], $9::bigint[],
              $10::timestamptz[], $11::timestamptz[])
       as added (code, name, kind, return_policy, notifications, resourcing, resourcing_radius_km, unpaid_ttl_s, version, created_at,
                 updated_at)

-- :name channels_update of channels
update channels c
   set name = changed.name, kind = changed.kind, return_policy = changed.return_policy, notifications = changed.notifications, resourcing = changed.resourcing,
       resourcing_radius_km = changed.resourcing_radius_km, unpaid_ttl_s = changed.unpaid_ttl_s, version = changed.version,
       updated_at = changed.updated_at
  from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::jsonb[], $6::boolean[], $7::bigint[], $8::bigint[], $9::bigint[],
              $10::timestamptz[], $11::timestamptz[])
       as changed (code, name, kind, return_policy, notifications, resourcing, resourcing_radius_km, unpaid_ttl_s, version, created_at,
                   updated_at)
 where c.code = changed.code collate "C"

-- :name channels_page of channels free
-- $1 after this code, $2 rows at most, $3 the only channel, null for all.
select c.code, true as exists, c.name, c.kind, c.return_policy, c.notifications, c.resourcing, c.resourcing_radius_km, c.unpaid_ttl_s,
       c.version, c.created_at, c.updated_at
  from channels c
 where ($1::text is null or c.code > $1 collate "C") and ($3::text is null or c.code = $3 collate "C")
 order by c.code
 limit $2::bigint

-- :part location_row
select {key}, {exists} as exists, l.name, l.kind, l.latitude, l.longitude, l.time_zone, l.country,
       array_to_string(l.capabilities, ' ') as capabilities,
       l.opening_hours, l.closures, l.lead_time_s, l.hold_for_s, l.cut_off, l.cut_offs,
       array_to_string(l.handover_methods, ' ') as handover_methods, l.slots, l.address,
       l.version, l.created_at, l.updated_at

-- :name locations_read of locations
-- :use location_row key="wanted.code" exists="l.code is not null"
  from unnest($1::text[]) as wanted (code)
  left join locations l on l.code = wanted.code collate "C"
 order by wanted.code collate "C"

-- :name locations_lock of locations
-- :use location_row key="wanted.code" exists="l.code is not null"
  from unnest($1::text[]) as wanted (code)
  left join lateral (select * from locations
                      where locations.code = wanted.code collate "C"
                        for no key update) as l on true
 order by wanted.code collate "C"

-- :part location_values
  from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::text[], $7::text[], $8::text[],
              $9::jsonb[], $10::jsonb[], $11::bigint[], $12::bigint[], $13::bigint[], $14::jsonb[], $15::text[],
              $16::jsonb[], $17::bigint[], $18::timestamptz[], $19::timestamptz[], $20::text[])
       as {row} (code, name, kind, latitude, longitude, time_zone, country, capabilities, opening_hours, closures,
                   lead_time_s, hold_for_s, cut_off, cut_offs, handover_methods, slots, version, created_at, updated_at,
                   address)

-- :name locations_insert of locations
-- $8 capabilities and $15 handover_methods, separated by spaces.
insert into locations (code, name, kind, latitude, longitude, time_zone, country, capabilities, opening_hours, closures,
                       lead_time_s, hold_for_s, cut_off, cut_offs, handover_methods, slots, version, created_at, updated_at,
                       address)
select code, name, kind, latitude, longitude, time_zone, country, string_to_array(capabilities, ' '), opening_hours, closures,
       lead_time_s, hold_for_s, cut_off, cut_offs, string_to_array(handover_methods, ' '), slots, version, created_at, updated_at,
       address
-- :use location_values row="added"

-- :name locations_update of locations
update locations l
   set name = changed.name, kind = changed.kind, latitude = changed.latitude, longitude = changed.longitude,
       time_zone = changed.time_zone, country = changed.country,
       capabilities = string_to_array(changed.capabilities, ' '), opening_hours = changed.opening_hours,
       closures = changed.closures, lead_time_s = changed.lead_time_s, hold_for_s = changed.hold_for_s,
       cut_off = changed.cut_off, cut_offs = changed.cut_offs, handover_methods = string_to_array(changed.handover_methods, ' '),
       slots = changed.slots, address = changed.address, version = changed.version, updated_at = changed.updated_at
-- :use location_values row="changed"
 where l.code = changed.code collate "C"

-- :name locations_page of locations free
-- $1 after this code, $2 rows at most, $3 the only codes, $4 kind, $5 capability, $6 a part of the name or the beginning of
-- the code; null for all.
-- :use location_row key="l.code" exists="true"
  from locations l
 where ($1::text is null or l.code > $1 collate "C") and ($3::text[] is null or l.code = any($3 collate "C"))
   and ($4::text is null or l.kind = $4) and ($5::text is null or l.capabilities @> array[$5])
   and ($6::text is null or position(lower($6) in lower(l.name)) > 0 or l.code ^@ $6)
 order by l.code
 limit $2::bigint

-- :name time_zones_find free
-- $1 names. This reads every file of the zone database; copies of it, and zones of no place, do not count.
select z.name
  from pg_timezone_names z
 where z.name = any($1::text[]) and z.name !~ '^(posix/|right/|posixrules$|localtime$|Factory$)'

-- :name zones_read
-- The clocks at the locations $1, except for the zones $2. For each zone: its offset from UTC in seconds, at first (begins is
-- null) and from each change on, from three days before $3 (null: now) for a year and some days. The statement
-- searches day by day and then to the second, so it misses two changes of one day that undo each other.
with recursive zones as materialized (
        select distinct l.time_zone as name, moment.day
          from unnest($1::text[]) as wanted (code)
          join locations l on l.code = wanted.code collate "C"
         cross join (select date_part('epoch', coalesce($3::timestamptz, statement_timestamp()))::bigint / 86400) as moment (day)
         where l.time_zone <> all ($2::text[])
), changes (name, low, high, before, after) as (
        select z.name, days.low, days.low + 86400, at_low.ahead, at_high.ahead
          from zones z
         cross join lateral (select day * 86400 from generate_series(z.day - 3, z.day + 370) as days (day)) as days (low)
         cross join lateral (select date_part('epoch', to_timestamp(days.low) at time zone z.name)::bigint
                                    - days.low) as at_low (ahead)
         cross join lateral (select date_part('epoch', to_timestamp(days.low + 86400) at time zone z.name)::bigint
                                    - days.low - 86400) as at_high (ahead)
         where at_low.ahead <> at_high.ahead
         union all
        select c.name, case when at_middle.ahead = c.before then middle.at else c.low end,
               case when at_middle.ahead = c.before then c.high else middle.at end,
               c.before, case when at_middle.ahead = c.before then c.after else at_middle.ahead end
          from changes c
         cross join lateral (select (c.low + c.high) / 2) as middle (at)
         cross join lateral (select date_part('epoch', to_timestamp(middle.at) at time zone c.name)::bigint
                                    - middle.at) as at_middle (ahead)
         where c.high - c.low > 1
)
select z.name, null::timestamptz as begins,
       date_part('epoch', to_timestamp((z.day - 3) * 86400) at time zone z.name)::bigint - (z.day - 3) * 86400
  from zones z
 union all
select c.name, to_timestamp(c.high), c.after from changes c where c.high - c.low = 1
 order by 1, 2 nulls first

-- :name products_find of products
-- Without long members that no order needs.
select wanted.sku, p.sku is not null as exists, p.title, p.gtin, p.price_amount, p.price_currency, p.image_url, null::text as description,
       null::jsonb as attributes, p.returnable, p.return_policy, p.version, p.created_at, p.updated_at
  from unnest($1::text[]) as wanted (sku)
  left join products p on p.sku = wanted.sku collate "C"
 order by wanted.sku collate "C"

-- :part product_row
select {key}, {exists} as exists, p.title, p.gtin, p.price_amount, p.price_currency, p.image_url, p.description,
       p.attributes, p.returnable, p.return_policy, p.version, p.created_at, p.updated_at

-- :name products_read of products
-- :use product_row key="wanted.sku" exists="p.sku is not null"
  from unnest($1::text[]) as wanted (sku)
  left join products p on p.sku = wanted.sku collate "C"
 order by wanted.sku collate "C"

-- :name products_lock of products
-- :use product_row key="wanted.sku" exists="p.sku is not null"
  from unnest($1::text[]) as wanted (sku)
  left join lateral (select * from products
                      where products.sku = wanted.sku collate "C"
                        for no key update) as p on true
 order by wanted.sku collate "C"

-- :part product_values
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::jsonb[],
              $9::boolean[], $10::jsonb[], $11::bigint[], $12::timestamptz[], $13::timestamptz[])
       as {row} (sku, title, gtin, price_amount, price_currency, image_url, description, attributes, returnable,
                   return_policy, version, created_at, updated_at)

-- :name products_insert of products
insert into products (sku, title, gtin, price_amount, price_currency, image_url, description, attributes, returnable,
                      return_policy, version, created_at, updated_at)
select sku, title, gtin, price_amount, price_currency, image_url, description, attributes, returnable, return_policy,
       version, created_at, updated_at
-- :use product_values row="added"

-- :name products_update of products
update products p
   set title = changed.title, gtin = changed.gtin, price_amount = changed.price_amount,
       price_currency = changed.price_currency, image_url = changed.image_url, description = changed.description,
       attributes = changed.attributes, returnable = changed.returnable,
       return_policy = changed.return_policy, version = changed.version, updated_at = changed.updated_at
-- :use product_values row="changed"
 where p.sku = changed.sku collate "C"

-- :name products_page of products free
-- $1 after this SKU, $2 rows at most, $3 GTIN; null for all.
-- :use product_row key="p.sku" exists="true"
  from products p
 where ($1::text is null or p.sku > $1 collate "C") and ($3::text is null or p.gtin = $3 collate "C")
 order by p.sku
 limit $2::bigint

-- :name products_search of products free
-- The same with $4 words: each begins a word of the title, or $4 begins the SKU. A page of frequent words is found among the next $5
-- products. If it is not, and there are more, all products with the words are found by their index.
with wanted as materialized (
        select regexp_replace(plainto_tsquery('simple', $4::text)::text, '''( & |$)', ''':*\1', 'g')::tsquery as words
), walked as materialized (
        select w.sku, w.words, w.gtin
          from products w
         where ($1::text is null or w.sku > $1 collate "C") and $3::text is null
         order by w.sku
         limit $5::bigint
), near as materialized (
        select w.sku from walked w where w.words @@ (select words from wanted)
), rest as materialized (
        select w.sku
          from products w
         where ($1::text is null or w.sku > $1 collate "C") and w.words @@ (select words from wanted) and $3::text is null
           and (select count(*) from walked) >= $5::bigint and (select count(*) from near) < $2::bigint
), named as materialized (
        select g.sku
          from products g
         where g.gtin = $3::text collate "C" and ($1::text is null or g.sku > $1 collate "C")
           and (g.words @@ (select words from wanted) or g.sku ^@ $4::text)
         order by g.sku
         limit $2::bigint
), begun as materialized (
        select b.sku
          from products b
         where ($1::text is null or b.sku > $1 collate "C") and b.sku ^@ $4::text and $3::text is null
         order by b.sku
         limit $2::bigint
), page as materialized (
        select f.sku
          from (select sku from near union select sku from rest union select sku from named union select sku from begun) as f
         order by f.sku
         limit $2::bigint
)
-- :use product_row key="p.sku" exists="true"
  from page
  join products p on p.sku = page.sku
 order by p.sku

-- :name documents_canonical
-- $1 JSON in its stored form; in the same order.
select document
  from unnest($1::jsonb[]) with ordinality as sent (document, place)
 order by place

-- :name listings_read of listings
-- $1 channels, $2 SKUs (same length, sorted, no duplicates).
select wanted.channel, wanted.sku, l.sku is not null as exists, l.title, l.price_amount, l.price_currency, l.external_sku, l.published,
       l.version, l.created_at, l.updated_at,
       c.code is not null as channel_known, p.sku is not null as sku_known
  from unnest($1::text[], $2::text[]) as wanted (channel, sku)
  left join channels c on c.code = wanted.channel collate "C"
  left join products p on p.sku = wanted.sku collate "C"
  left join listings l on l.channel = wanted.channel collate "C" and l.sku = wanted.sku collate "C"
 order by wanted.channel collate "C", wanted.sku collate "C"

-- :name listings_lock of listings
select wanted.channel, wanted.sku, l.sku is not null as exists, l.title, l.price_amount, l.price_currency, l.external_sku, l.published,
       l.version, l.created_at, l.updated_at,
       c.code is not null as channel_known, p.sku is not null as sku_known
  from unnest($1::text[], $2::text[]) as wanted (channel, sku)
  left join channels c on c.code = wanted.channel collate "C"
  left join products p on p.sku = wanted.sku collate "C"
  left join lateral (select * from listings
                      where listings.channel = wanted.channel collate "C" and listings.sku = wanted.sku collate "C"
                        for no key update) as l on true
 order by wanted.channel collate "C", wanted.sku collate "C"

-- :name listings_insert of listings
insert into listings (channel, sku, title, price_amount, price_currency, external_sku, published, version, created_at,
                      updated_at)
select channel, sku, title, price_amount, price_currency, external_sku, published, version, created_at, updated_at
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::boolean[], $8::bigint[],
              $9::timestamptz[], $10::timestamptz[])
       as added (channel, sku, title, price_amount, price_currency, external_sku, published, version, created_at,
                 updated_at)

-- :name listings_update of listings
update listings l
   set title = changed.title, price_amount = changed.price_amount, price_currency = changed.price_currency,
       external_sku = changed.external_sku, published = changed.published, version = changed.version,
       updated_at = changed.updated_at
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::boolean[], $8::bigint[],
              $9::timestamptz[], $10::timestamptz[])
       as changed (channel, sku, title, price_amount, price_currency, external_sku, published, version, created_at,
                   updated_at)
 where l.channel = changed.channel collate "C" and l.sku = changed.sku collate "C"

-- :name listings_page of listings free
-- $1 after this SKU, $2 rows at most, $3 the channel.
select l.channel, l.sku, true as exists, l.title, l.price_amount, l.price_currency, l.external_sku, l.published,
       l.version, l.created_at, l.updated_at,
       true as channel_known, true as sku_known
  from listings l
 where l.channel = $3::text collate "C" and ($1::text is null or l.sku > $1 collate "C")
 order by l.sku
 limit $2::bigint
