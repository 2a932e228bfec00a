-- A payment tells requested, confirmed and failed voids apart. The provider's events count in the order in which they happened,
-- so their amounts are kept. An older program would request the same voids again: none may go on beside this.

alter table payments
        add column void_due bigint not null default 0, -- void requested, not yet answered
        add column void_asked bigint not null default 0, -- sum of all requested voids
        add column failed bigint not null default 0, -- cannot be captured any more, as the provider told
        -- As it was placed; all events follow.
        add column opened text not null default 'pending' check (opened in ('pending', 'authorized', 'captured'));

alter table payment_events
        add column number bigint not null default 0, -- of the payment's events: in which order they were recorded, from 1
        add column amount bigint,
        add column let_go bigint not null default 0, -- of the payment: void_asked when this was recorded
        add column refund_id uuid,
        add column occurred_at timestamptz, -- null: not told, recorded_at counts
        -- False: its amount was not kept, so it is known by its id only.
        add column counts boolean not null default true;

-- A void without an event of the provider was requested, or has failed.
update payments p
   set voided = told.voided, failed = told.failed, void_due = p.voided - told.voided - told.failed,
       void_asked = p.voided - told.failed
  from (select q.id,
               case when exists (select from payment_events e where e.payment_id = q.id and e.type = 'voided')
                     and q.status <> 'failed' then q.voided else 0 end as voided,
               case when q.status = 'failed'
                      or (exists (select from payment_events e where e.payment_id = q.id and e.type = 'failed')
                          and not exists (select from payment_events e where e.payment_id = q.id and e.type = 'voided'))
                    then q.voided else 0 end as failed
          from payments q
         where q.voided > 0) as told
 where p.id = told.id;

alter table payments drop constraint payments_check;
alter table payments add constraint payments_amounts
        check (captured >= 0 and voided >= 0 and failed >= 0 and void_due >= 0 and capture_due >= 0 and refunded >= 0
                and captured + voided + failed + void_due + capture_due <= authorized and authorized <= amount
                and refunded <= captured + capture_due);

update payments p
   set opened = case when p.status in ('pending', 'authorized', 'captured') then p.status
                     when p.authorized > 0 then 'authorized' else 'pending' end
 where not exists (select from payment_events e
                    where e.payment_id = p.id and e.type in ('authorized', 'captured', 'failed', 'voided'));

-- The amounts of earlier events are gone: one event of each kind stands for them, with the amounts of the payment.
with told as (
        update payment_events e
           set counts = false, number = numbered.number
          from (select payment_id, event_id, row_number() over (partition by payment_id order by recorded_at, event_id) as number
                  from payment_events) as numbered
         where e.payment_id = numbered.payment_id and e.event_id = numbered.event_id
        returning e.payment_id, e.type
), known as (
        select payment_id, count(*) as n
          from told
         group by payment_id
        having bool_or(type in ('authorized', 'captured', 'failed', 'voided'))
)
insert into payment_events (payment_id, event_id, type, content, recorded_at, number, amount)
select p.id, 'known before 0017: ' || word.type, word.type, sha256(''), p.updated_at, known.n + word.place, nullif(word.amount, 0)
  from known join payments p on p.id = known.payment_id
 cross join lateral (values (1, 'authorized', p.authorized, p.authorized > 0),
                            (2, 'captured', p.captured, p.captured > 0),
                            (3, 'voided', p.voided, p.voided > 0),
                            (4, 'failed', 0, p.failed > 0 or p.status = 'failed')) as word (place, type, amount, told)
 where word.told;
