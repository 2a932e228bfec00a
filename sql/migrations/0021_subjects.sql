-- An event has a subject, the document that changed, and the version of that document. Older programs write the columns that go, so
-- they must stop.

alter table events add column subject_kind text, add column version bigint, add column channel text collate "C";
alter table events rename column fulfillment_id to subject_id;

-- One pass rewrites the table. The version of an old event is that of its fulfillment or its order.
alter table events
        alter column subject_kind type text using case when subject_id is not null then 'fulfillments'
                                                       when reservation_id is not null then 'reservations' else 'orders' end,
        alter column subject_kind set not null,
        alter column version type bigint using (data ->> 'version')::bigint,
        alter column subject_id type text collate "C" using coalesce(subject_id, reservation_id, order_id)::text,
        alter column subject_id set not null;

alter table events drop column reservation_id;
