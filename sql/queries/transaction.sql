-- The frame of every transaction.

-- :name begin
begin isolation level read committed

-- :name begin_snapshot
-- Several statements of one read see the same moment.
begin isolation level repeatable read read only

-- :name lock_briefly
-- For the rest of the transaction: a row that was waited for in vain a moment ago is not worth another long wait.
set local lock_timeout = '10ms'

-- :name commit
commit

-- :name rollback
rollback

-- :name clock
-- The instant that business is decided by: read after the locks, from the one clock all instances share.
select clock_timestamp()
