-- :compatible
-- The cut-offs of weekdays, beside the one of all days: {"mon": "16:00", ...}. A program of before keeps what stands here.
alter table locations add column cut_offs jsonb not null default '{}';
