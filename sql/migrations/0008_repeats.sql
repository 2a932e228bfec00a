-- A command that is sent again succeeds when the same person says the same: so it is kept who brought a fulfillment to
-- where it stands. Null: not known.

alter table fulfillments add column moved_by text;
