\set sku random(1, 10000)
begin;
select on_hand - reserved as available from naive.stock where sku = :sku for update;
update naive.stock set reserved = reserved + 1 where sku = :sku;
insert into naive.reservation (sku, quantity) values (:sku, 1);
commit;
