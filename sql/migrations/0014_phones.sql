-- :compatible
-- A phone number is its digits, however people space them; 00 and + before a country's code are the same. Null without digits.
create function phone_digits(phone text) returns text language sql immutable parallel safe
        return nullif(regexp_replace(regexp_replace(phone, '[^0-9]', '', 'g'), '^00', ''), '');

drop index orders_by_phone;
create index orders_by_phone on orders (phone_digits(customer ->> 'phone')) where phone_digits(customer ->> 'phone') is not null;
