-- Orders change after they are placed: lines are added, units are added and taken off, and move to other fulfillments.

-- Units of the line that were given back before its value last changed, and what they were worth together: that stays.
alter table order_lines
        add column settled bigint not null default 0,
        add column settled_value bigint not null default 0,
        add check (settled >= 0 and settled <= quantity and settled_value >= 0);

-- Of what is cancelled: units that another fulfillment of the order has got, because the order was changed.
alter table fulfillment_lines
        add column moved bigint not null default 0,
        add check (moved >= 0 and moved <= cancelled);
