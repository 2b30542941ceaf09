-- What the operator writes beside a call. Lines stand at a moment of the call (at_ms) or, from before and after it, at none.

create table operator_notes (
    call_id uuid not null references calls on delete cascade,
    author_id uuid not null references users,
    lines jsonb not null default '[]',
    revision integer not null default 0 check (revision >= 0),
    updated_at timestamptz not null,
    primary key (call_id, author_id)
);

-- Each tick and each tick taken back; the last one counts.
create table checklist_ticks (
    id bigint generated always as identity primary key,
    call_id uuid not null references calls on delete cascade,
    checklist text not null,
    version text not null,
    item text not null,
    ticked boolean not null,
    at_ms bigint check (at_ms >= 0),
    by_id uuid not null references users,
    at timestamptz not null
);
create index checklist_ticks_call on checklist_ticks (call_id, id);

create table wrap_ups (
    call_id uuid primary key references calls on delete cascade,
    by_id uuid not null references users,
    case_number text check (case_number ~ '^[0-9A-Z][0-9A-Z-]{2,39}$'),
    labels text[] not null default '{}',
    told text[] not null default '{}',
    hand_over text not null default '',
    state text not null check (state in ('open', 'later', 'done')),
    saved_at timestamptz not null
);
create index wrap_ups_case on wrap_ups (case_number);

-- A consent is never changed: it is withdrawn, and another one may be given.
create table consents (
    id uuid primary key,
    call_id uuid not null references calls on delete cascade,
    who text not null,
    what text not null,
    given boolean not null,
    at_ms bigint check (at_ms >= 0),
    recorded_by uuid not null references users,
    recorded_at timestamptz not null,
    withdrawn_at timestamptz,
    withdrawn_by uuid references users
);
create index consents_call on consents (call_id, recorded_at);
