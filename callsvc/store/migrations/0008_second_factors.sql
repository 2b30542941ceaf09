-- The second factor of a local account. The secret is encrypted; `last_step` is the last code that was used.

create table second_factors (
    user_id uuid primary key references users on delete cascade,
    secret bytea not null,
    confirmed_at timestamptz,
    last_step bigint not null default 0
);

-- From where a session was opened, for the list that its owner looks through.
alter table sessions
    add column address text not null default '',
    add column browser text not null default '';
