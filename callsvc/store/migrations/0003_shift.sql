-- Who answers a call, and who is there to answer. A free operator is one whose screen has been heard of lately.

alter table calls
    add column answered_by uuid references users,
    add column answered_at timestamptz;
create index calls_answered on calls (answered_by, created_at desc);

create table availability (
    user_id uuid primary key references users on delete cascade,
    since timestamptz not null,
    seen_at timestamptz not null
);
