-- Templates of messages to customers, and the messages. A look-up of templates returns one row for each key, whether the template exists or not.

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

-- :name notification_progress_lock
-- The position up to which the events of the log were planned; no row, and no lock, if there are no others, or while another instance
-- plans.
select p.position
  from notification_progress p
 where p.single and p.position <> (select r.revision from revisions r where r.topic = 'events')
   for update skip locked

-- :name notification_progress_save
update notification_progress p set position = $1::bigint where p.single

-- :name notifications_insert of notifications
-- Insert messages. One that exists for its event, kind and medium stays, and so does the silence about a customer that was erased: the
-- lock waits for an erasure under way, which changes `customer`.
insert into notifications (id, order_id, fulfillment_id, refund_id, event_id, kind, medium, state, channel, locale, recipient, message_id,
                           actor, attempts, due_at, created_at, updated_at)
select message.id, message.order_id, message.fulfillment_id, message.refund_id, message.event_id, message.kind, message.medium,
       message.state, message.channel, message.locale, message.recipient, message.message_id, message.actor, message.attempts,
       message.due_at, message.created_at, message.updated_at
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
              $11::text[], $12::text[], $13::text[], $14::bigint[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[])
       as message (id, order_id, fulfillment_id, refund_id, event_id, kind, medium, state, channel, locale, recipient, message_id, actor,
                   attempts, due_at, created_at, updated_at)
 cross join lateral (select true from orders o
                      where o.id = message.order_id and o.customer ->> 'erased_at' is null for share) as living
    on conflict (event_id, kind, medium) do nothing

-- :name notifications_lease of notifications free
-- Take queued messages that are due for instance $1, at most $2. They are due again after $3 seconds, unless their outcome is saved
-- before that.
with due as materialized (
        select n.id from notifications n
         where n.state = 'queued' and n.due_at <= statement_timestamp()
         order by n.due_at limit $2::bigint for update skip locked
)
update notifications n
   set attempts = n.attempts + 1, leased_by = $1::uuid, due_at = statement_timestamp() + make_interval(secs => $3::bigint)
 where n.id = any(array(select due.id from due))
returning n.id, n.order_id, n.fulfillment_id, n.refund_id, n.event_id, n.kind, n.medium, n.state, n.channel, n.locale, n.recipient,
          n.message_id, n.actor, n.attempts, n.due_at, n.created_at, n.updated_at

-- :name notifications_save of notification_outcomes free
-- Record outcomes of instance behind the columns, and return the ids: those of a lease that is over are passed over. An erased customer
-- stays erased: answers may have the address.
update notifications n
   set attempts = outcome.counted, state = outcome.state, due_at = outcome.due_at, sent_at = outcome.sent_at,
       answer = case when n.recipient is not null then outcome.answer end, leased_by = null, updated_at = $9::timestamptz
  from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[])
       as outcome (id, attempts, counted, state, due_at, sent_at, answer)
 where n.id = outcome.id and n.leased_by = $8::uuid and n.attempts = outcome.attempts and n.state = 'queued'
returning n.id

-- :name notifications_of_order of notifications
-- The messages about the orders $1, newest first, at most $2 of each.
select n.id, n.order_id, n.fulfillment_id, n.refund_id, n.event_id, n.kind, n.medium, n.state, n.channel, n.locale, n.recipient,
       n.message_id, n.answer, n.actor, n.attempts, n.due_at, n.created_at, n.updated_at, n.sent_at
  from unnest($1::uuid[]) as wanted (order_id)
 cross join lateral (select * from notifications found
                      where found.order_id = wanted.order_id
                      order by found.id desc limit $2::bigint) as n
 order by n.order_id, n.id desc
