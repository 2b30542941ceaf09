-- Quality review: the calls that were drawn, what reviewers answered, what the operator says to it. Nothing is counted by person.

create table reviews (
    id uuid primary key,
    call_id uuid not null unique references calls on delete cascade,
    rule text not null,
    rules_version text not null,
    seats smallint not null check (seats in (1, 2)),
    drawn_at timestamptz not null,
    -- Captions as the operator saw them; nothing else keeps them once there is a transcript.
    captions jsonb not null default '[]',
    -- Where the one who gave it back had come to, and a word for the next.
    place_ms bigint not null default 0 check (place_ms >= 0),
    handed_over text not null default ''
);
create index reviews_drawn on reviews (drawn_at desc, id);

create table assessments (
    id uuid primary key,
    review_id uuid not null references reviews on delete cascade,
    seat smallint not null check (seat in (1, 2)),
    reviewer_id uuid not null references users,
    card jsonb not null,
    comment text not null default '',
    taken_at timestamptz not null,
    done_at timestamptz,
    reply text not null default '',
    replied_at timestamptz,
    unique (review_id, seat),
    unique (review_id, reviewer_id)
);
create index assessments_mine on assessments (reviewer_id) where done_at is null;

create table assessment_answers (
    assessment_id uuid not null references assessments on delete cascade,
    question text not null,
    choice text not null,
    at_ms bigint check (at_ms >= 0),
    note text not null default '',
    primary key (assessment_id, question)
);

-- What a listener has chosen for themselves. How long somebody listened is kept in their own browser and never here.
create table care_choices (
    user_id uuid primary key references users on delete cascade,
    sound_off boolean not null,
    softened boolean not null,
    marked boolean not null,
    counted boolean not null
);
