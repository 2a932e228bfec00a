-- :compatible
-- The address of a location as customers read it, in lines; null: it has none.

alter table locations add column address text;
