-- :compatible
-- The cut-offs of weekdays, beside the one of all days: {"mon": "16:00", ...}. An older program keeps this column as it is.
alter table locations add column cut_offs jsonb not null default '{}';
