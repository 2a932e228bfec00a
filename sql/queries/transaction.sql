-- The frame of every transaction.

-- :name begin
begin isolation level read committed

-- :name begin_snapshot
-- Several statements of one read see the same moment.
begin isolation level repeatable read read only

-- :name lock_briefly
-- For the rest of the transaction, where a row was stuck a moment ago: longer than another instance holds a row that both
-- sell, so that what was stuck and is free again is found free.
set local lock_timeout = '200ms'

-- :name lock_hardly
-- For the rest of the transaction, which looks for those who meet a stuck row: they wait once for each time they are halved.
set local lock_timeout = '25ms'

-- :name commit
commit

-- :name rollback
rollback

-- :name clock
-- The instant that business is decided by: read after the locks, from the one clock all instances share.
select clock_timestamp()
