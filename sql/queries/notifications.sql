-- Templates of messages to customers. A look-up returns one row for each key, whether the template exists or not.

-- :name notification_templates_read of notification_templates
-- $1 kinds, $2 media, $3 locales (same length, sorted, no duplicates); so below.
select wanted.kind, wanted.medium, wanted.locale, t.kind is not null as exists, t.subject, t.text, t.html, t.version, t.created_at, t.updated_at
  from unnest($1::text[], $2::text[], $3::text[]) as wanted (kind, medium, locale)
  left join notification_templates t on t.kind = wanted.kind collate "C" and t.medium = wanted.medium collate "C"
                                    and t.locale = wanted.locale collate "C"

-- :name notification_templates_lock of notification_templates
select wanted.kind, wanted.medium, wanted.locale, t.kind is not null as exists, t.subject, t.text, t.html, t.version, t.created_at, t.updated_at
  from unnest($1::text[], $2::text[], $3::text[]) as wanted (kind, medium, locale)
  left join lateral (select * from notification_templates found
                      where found.kind = wanted.kind collate "C" and found.medium = wanted.medium collate "C"
                        and found.locale = wanted.locale collate "C"
                        for update) as t on true

-- :name notification_templates_delete of notification_templates
delete from notification_templates t
 using unnest($1::text[], $2::text[], $3::text[]) as gone (kind, medium, locale)
 where t.kind = gone.kind collate "C" and t.medium = gone.medium collate "C" and t.locale = gone.locale collate "C"

-- :name notification_templates_insert of notification_templates
insert into notification_templates (kind, medium, locale, subject, text, html, version, created_at, updated_at)
select kind, medium, locale, subject, text, html, version, created_at, updated_at
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::timestamptz[], $9::timestamptz[])
       as added (kind, medium, locale, subject, text, html, version, created_at, updated_at)

-- :name notification_templates_update of notification_templates
update notification_templates t
   set subject = changed.subject, text = changed.text, html = changed.html, version = changed.version, updated_at = changed.updated_at
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::timestamptz[], $9::timestamptz[])
       as changed (kind, medium, locale, subject, text, html, version, created_at, updated_at)
 where t.kind = changed.kind collate "C" and t.medium = changed.medium collate "C" and t.locale = changed.locale collate "C"
