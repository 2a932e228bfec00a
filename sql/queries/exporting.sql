-- Exports: one statement for each kind, run as COPY (src/db/copy.h), which has no parameters. They read settings of their transaction,
-- which export_begin sets. Each has an order, so that equal data gives equal bytes. Columns are those that an import of the kind reads.
-- e'\x3b' is a semicolon, which ends a statement for sql/embed.py.

-- :name export_begin free
-- $1 since, $2 until, $3 locations, $4 channel, null for all; $5 the factor from minor to major units for each currency without
-- hundredths, as JSON. The reader may be slower than that of a trip. Returns the time of the snapshot, and the first location and the
-- channel that do not exist.
select statement_timestamp() as begun,
       (select wanted.code
          from unnest($3::text[]) as wanted (code)
         where not exists (select from locations l where l.code = wanted.code collate "C")
         limit 1) as unknown_location,
       (select $4::text where not exists (select from channels c where c.code = $4 collate "C")) as unknown_channel,
       set_config('holdfast.since', coalesce($1::timestamptz, '-infinity')::text, true),
       set_config('holdfast.until', coalesce($2::timestamptz, 'infinity')::text, true),
       set_config('holdfast.locations', coalesce($3::text[]::text, ''), true),
       set_config('holdfast.channel', coalesce($4::text, ''), true),
       set_config('holdfast.units', $5::text, true),
       set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true), set_config('extra_float_digits', '1', true),
       set_config('tcp_user_timeout', '60000', true)

-- :part major
-- The amount in major units, with as many decimals as its currency has.
({amount} * coalesce(((select current_setting('holdfast.units')::jsonb) -> {currency})::numeric, 0.01))::text

-- :part places
-- The locations asked for.
(select l.* from locations l
  where (select current_setting('holdfast.locations')) = ''
     or l.code = any ((select nullif(current_setting('holdfast.locations'), '')::text[]) collate "C"))

-- :part span
-- Seconds as an ISO 8601 duration.
case when {seconds} = 0 then 'PT0S'
     when {seconds} % 86400 = 0 then 'P' || {seconds} / 86400 || 'D'
     when {seconds} % 3600 = 0 then 'PT' || {seconds} / 3600 || 'H'
     when {seconds} % 60 = 0 then 'PT' || {seconds} / 60 || 'M'
     else 'PT' || {seconds} || 'S' end

-- :name export_locations free
select l.code, l.name, l.kind, l.latitude, l.longitude, l.time_zone, l.country,
       nullif(array_to_string(l.capabilities, e'\x3b'), '') as capabilities,
       -- :use span seconds="l.lead_time_s"
       as lead_time,
       -- :use span seconds="l.hold_for_s"
       as hold_for,
       (select string_agg(format('%s %s-%s', o.opening ->> 'day', o.opening ->> 'opens', o.opening ->> 'closes'), e'\x3b ' order by o.place)
          from jsonb_array_elements(l.opening_hours) with ordinality as o (opening, place)) as opening_hours,
       (select string_agg(concat_ws(' ', c.closure ->> 'date', (c.closure ->> 'opens') || '-' || (c.closure ->> 'closes')), e'\x3b '
                          order by c.place)
          from jsonb_array_elements(l.closures) with ordinality as c (closure, place)) as closures,
       (select string_agg(format('%s %s-%s x %s', s.slot ->> 'day', s.slot ->> 'from', s.slot ->> 'to', s.slot ->> 'capacity'), e'\x3b '
                          order by s.place)
          from jsonb_array_elements(l.slots) with ordinality as s (slot, place)) as slots
  from
       -- :use places
       as l
 order by l.code

-- :name export_products free
select p.sku, p.title, p.gtin,
       -- :use major amount="p.price_amount" currency="p.price_currency"
       as price, p.price_currency as currency, nullif(p.description, '') as description, nullif(p.image_url, '') as image_url
  from products p
 order by p.sku

-- :name export_stock free
select l.code as location, s.sku, s.on_hand
  from
       -- :use places
       as l
 cross join lateral (select s.sku, s.on_hand from stock s where s.location = l.code order by s.sku offset 0) as s
 order by l.code, s.sku
