-- :compatible
-- Templates of messages to customers that the retailer has replaced. The others come with the program.

create table notification_templates (
        kind text collate "C" not null,
        medium text collate "C" not null,
        locale text collate "C" not null,
        subject text,
        text text not null,
        html text,
        version bigint not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        primary key (kind, medium, locale)
);
