-- The frame of every transaction.

-- :name begin
begin isolation level read committed

-- :name begin_snapshot
-- Several statements of one read see the same moment.
begin isolation level repeatable read read only

-- :name commit
commit

-- :name rollback
rollback

-- :name clock
-- The instant that business is decided by: read after the locks, from the one clock all instances share.
select clock_timestamp()
