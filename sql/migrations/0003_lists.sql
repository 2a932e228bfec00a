-- What lists need: the key that seals their cursors, and words to find products by.

-- The secrets of this deployment that are nobody's to choose. One row serves every instance; deleting and making it
-- anew only makes clients begin their lists again. gen_random_uuid() draws 122 strong random bits each time.
create table secrets (
        name text primary key,
        value bytea not null check (length(value) = 32)
);

insert into secrets (name, value)
select 'cursor', sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8'))
  from generate_series(1, 4);

create index products_by_words on products using gin (to_tsvector('simple', title));
