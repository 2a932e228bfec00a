-- The frame of every transaction.

-- :name begin
begin isolation level read committed

-- :name begin_snapshot
-- Several statements of one read see the same moment.
begin isolation level repeatable read read only

-- :name lock_briefly
-- For the rest of the transaction, if a row was stuck a moment ago. The limit is longer than another instance holds a row that both
-- sell, so that a row that is free again is found free.
set local lock_timeout = '200ms'

-- :name lock_hardly
-- For the rest of the transaction, in the search for the calls that meet a stuck row: they wait once for each halving.
set local lock_timeout = '25ms'

-- :name commit
commit

-- :name rollback
rollback

-- :name clock
-- The time of business decisions: read after the locks, from the one clock that all instances share.
select clock_timestamp()
