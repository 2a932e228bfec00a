-- The search of orders: what the sweeper writes. sql/queries/orders.sql reads it.

-- :name order_search_catch_up
-- Make orders searchable by their trigrams: $1 at least, or the $3rd part of those that are due, $2 at most, and whole batches; how
-- many were due. Of two sweepers that come upon one order, the newer version stays.
with backlog as materialized (
        select w.number, sum(cardinality(w.orders)) over (order by w.number) - cardinality(w.orders) as n_before,
               sum(cardinality(w.orders)) over () as n_all
          from order_search_due w
         where w.number >= 0
), due as (
        delete from order_search_due d
         where d.number = any(array(select w.number from order_search_due w
                                     where w.number = any(array(select b.number from backlog b
                                                                 where b.n_before < least($2::bigint, greatest($1::bigint, b.n_all / $3::bigint))))
                                       for update skip locked))
        returning d.orders
), taken as materialized (
        select distinct unnest(due.orders) as order_id from due
), written as (
        insert into order_search (order_id, version, placed_at, words, slices)
        select o.id, o.version, o.placed_at, order_words(o.customer, o.order_number, o.external_ref), order_slices(o.placed_at)
          from taken
         cross join lateral (select * from orders where orders.id = taken.order_id) as o
            on conflict (order_id) do update
           set version = excluded.version, words = excluded.words
         where order_search.version < excluded.version
)
select count(*) from taken
