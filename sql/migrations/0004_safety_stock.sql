-- The one figure of a stock row that clients set gets a version of its own: movements must not make it stale.

alter table stock add column safety_stock_version bigint not null default 1;
