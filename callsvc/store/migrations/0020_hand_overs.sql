-- A call that one person hands to another by name, at the place they had come to. Whoever opens it needs the right all the same.

create table hand_overs (
    id uuid primary key,
    call_id uuid not null references calls on delete cascade,
    review_id uuid references reviews on delete cascade,
    from_id uuid not null references users,
    to_id uuid not null references users,
    place_ms bigint check (place_ms >= 0),
    word text not null default '',
    at timestamptz not null,
    taken_at timestamptz
);
create index hand_overs_open on hand_overs (to_id, at) where taken_at is null;

-- The latest corrections are looked at each second while anybody watches, so that editors see each other's.
create index transcript_edits_at on transcript_edits (at desc);
