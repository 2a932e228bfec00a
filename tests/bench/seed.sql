-- Data of the benchmark: stock that does not run out, every figure with its ledger entry.
set search_path = holdfast;

insert into locations (code, name, kind, time_zone, country, capabilities, opening_hours, closures, lead_time_s,
                       hold_for_s, created_at, updated_at)
select code, code, 'store', 'Europe/Berlin', 'DE', '{pickup,ship}', '[]', '[]', 7200, 604800, now(), now()
  from (select 'bench-hot' as code union all select format('bench-%s', to_char(n, 'FM00')) from generate_series(1, 10) n) c;

insert into products (sku, title, returnable, attributes, created_at, updated_at)
select sku, sku, true, '{}', now(), now()
  from (select 'bench-hot' as sku
         union all select format('bench-%s', to_char(n, 'FM0000')) from generate_series(1, 1000) n
         union all select format('bench-one-%s', to_char(n, 'FM0000')) from generate_series(1, 1000) n) p;

insert into channels (code, name, kind, created_at, updated_at) values ('bench', 'Bench', 'web', now(), now());

insert into stock (location, sku, on_hand, movements) values ('bench-hot', 'bench-hot', 1000000000000, 1);
insert into stock (location, sku, on_hand, movements)
select l.code, p.sku, 1000000000, 1
  from locations l, products p
 where l.code <> 'bench-hot' and p.sku like 'bench-0%' or l.code <> 'bench-hot' and p.sku = 'bench-1000';
insert into stock (location, sku, on_hand, movements)
select 'bench-01', sku, 1000000000, 1 from products where sku like 'bench-one-%';

insert into ledger (location, sku, number, reason, on_hand_change, unsellable_change, on_hand_after, unsellable_after,
                    actor, recorded_at)
select location, sku, 1, 'count', on_hand, 0, on_hand, 0, 'bench', now() from stock;

-- The reference: the same sale in its simplest form.
create schema naive;
create table naive.stock (sku bigint primary key, on_hand bigint not null, reserved bigint not null default 0);
create table naive.reservation (id bigserial primary key, sku bigint not null, quantity bigint not null,
                                created_at timestamptz not null default now());
insert into naive.stock select n, 1000000000000 from generate_series(1, 10000) n;

vacuum (analyze) locations, products, stock, ledger, naive.stock;
