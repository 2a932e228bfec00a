-- The queue of a location: its revision, and what is in it.

-- :name queue_bump
-- The last thing before a commit: $1 the locations whose queue it changes, sorted, no duplicates.
insert into queue_revisions as q (location, revision)
select changed.location, 1
  from unnest($1::text[]) as changed (location)
    on conflict (location) do update set revision = q.revision + 1

-- :name queue_bump_for_products
-- Where cards may show the products $1: wherever units of them are held.
insert into queue_revisions as q (location, revision)
select held.location, 1
  from (select distinct s.location from stock s where s.sku = any($1::text[]) and s.reserved > 0
         order by s.location) as held
    on conflict (location) do update set revision = q.revision + 1
returning q.location
