-- :compatible
-- How a channel writes to its customers: sender, language and kinds of messages, as JSON; null: it does not.

alter table channels add column notifications jsonb;
