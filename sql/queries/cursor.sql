-- :name cursor_key
select value from secrets where name = 'cursor'
