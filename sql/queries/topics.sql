-- Revisions of topics (src/events/topics.h), and notices of their changes.

-- :name topics_raise
-- The last statement before a commit: $1 the topics that the transaction changes, sorted, no duplicates.
insert into revisions as r (topic, revision)
select changed.topic, 1
  from unnest($1::text[]) as changed (topic)
    on conflict (topic) do update set revision = r.revision + 1

-- :name topics_look
-- The present revisions of the topics $1; 0 where none exists yet.
select wanted.topic, coalesce(r.revision, 0)
  from unnest($1::text[]) as wanted (topic)
  left join lateral (select revisions.revision from revisions where revisions.topic = wanted.topic collate "C") as r on true

-- :name topics_send
select pg_notify('holdfast', $1::text || topic.name)
  from unnest($2::text[]) as topic (name)

-- :name topics_send_lightly
-- A hint need not wait for the disk.
set local synchronous_commit = off
