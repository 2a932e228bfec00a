-- :name cursor_key
-- The key of cursors, and the last position of the log of events.
select s.value, (select r.revision from revisions r where r.topic = 'events') from secrets s where s.name = 'cursor'
