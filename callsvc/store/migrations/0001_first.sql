-- People.

create table users (
    id uuid primary key,
    name text not null check (name = lower(name) and length(name) between 1 and 100),
    display_name text not null check (length(display_name) between 1 and 200),
    password_hash text not null,
    roles text[] not null check (roles <@ array['operator', 'investigator', 'qa', 'admin']),
    must_change_password boolean not null default false,
    created_at timestamptz not null,
    last_login_at timestamptz,
    disabled_at timestamptz
);
create unique index users_name on users (name);

-- The token itself is with the browser alone.
create table sessions (
    id uuid primary key,
    token_hash bytea not null unique,
    user_id uuid not null references users on delete cascade,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null
);
create index sessions_user on sessions (user_id);

-- A digest of the name that was tried, for people type passwords into the wrong field.
create table login_attempts (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    name_digest bytea not null,
    address text not null,
    succeeded boolean not null
);
create index login_attempts_at on login_attempts (at);

-- Calls.

create table calls (
    id uuid primary key,
    profile text not null,
    state text not null check (state in ('setting_up', 'live', 'ended')),
    demo boolean not null default false,
    node text,
    created_by uuid references users,
    created_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    length_ms bigint check (length_ms >= 0),
    cause text,
    degraded text
);
create index calls_state on calls (state, created_at desc);

create table legs (
    call_id uuid not null references calls on delete cascade,
    leg text not null check (leg in ('caller', 'operator')),
    transport text not null default '',
    codec text not null default '',
    joined_at timestamptz,
    left_at timestamptz,
    cause text,
    primary key (call_id, leg)
);

create table recordings (
    id uuid primary key,
    call_id uuid not null references calls on delete cascade,
    state text not null check (state in ('recording', 'sealed', 'archived', 'failed')),
    outcome text,
    head text,
    manifest jsonb,
    location text,
    started_at timestamptz not null,
    sealed_at timestamptz,
    archived_at timestamptz
);
create index recordings_call on recordings (call_id);

-- Samples at the track's own rate, counted from the start of the call.
create table tracks (
    recording_id uuid not null references recordings on delete cascade,
    name text not null,
    rate integer not null check (rate > 0),
    samples bigint not null check (samples >= 0),
    gaps jsonb not null default '[]',
    primary key (recording_id, name)
);

-- One row a call: the latest that the media node has told.
create table proofs (
    call_id uuid primary key references calls on delete cascade,
    at timestamptz not null,
    strokes integer not null,
    level_before_db double precision,
    level_after_db double precision,
    audible_before_pct double precision,
    audible_after_pct double precision,
    blocks bigint not null,
    blocks_passed bigint not null,
    model text not null,
    model_sha256 text not null,
    latency_samples integer not null,
    degraded boolean not null
);

create table transcripts (
    id uuid primary key,
    call_id uuid not null references calls on delete cascade,
    state text not null check (state in ('queued', 'waiting_model', 'running', 'done', 'failed')),
    model text,
    model_sha256 text,
    language text not null,
    progress real not null default 0 check (progress between 0 and 1),
    error text,
    created_at timestamptz not null,
    finished_at timestamptz
);
create index transcripts_call on transcripts (call_id, created_at desc);

create table utterances (
    transcript_id uuid not null references transcripts on delete cascade,
    n integer not null,
    leg text not null check (leg in ('caller', 'operator')),
    start_ms integer not null check (start_ms >= 0),
    end_ms integer not null check (end_ms >= start_ms),
    text text not null,
    words jsonb not null default '[]',
    search tsvector generated always as (to_tsvector('swedish', text)) stored,
    primary key (transcript_id, n)
);
create index utterances_search on utterances using gin (search);

-- Demonstration calls that somebody asked for on the page.
create table demonstrations (
    id uuid primary key,
    call_id uuid,
    state text not null check (state in ('queued', 'running', 'done', 'failed')),
    progress real not null default 0 check (progress between 0 and 1),
    step text not null default '',
    report jsonb,
    error text,
    created_by uuid references users,
    created_at timestamptz not null,
    finished_at timestamptz
);

-- Who looked at what, and why. A session opens a call with a reason; each look is an event in a hash chain.

create table opened_calls (
    session_id uuid not null references sessions on delete cascade,
    call_id uuid not null,
    reason text not null,
    opened_at timestamptz not null,
    primary key (session_id, call_id)
);

-- Ids rise by one without a hole, under a lock; so a missing row is seen.
create table access_events (
    id bigint primary key check (id > 0),
    at timestamptz not null,
    user_id uuid,
    action text not null,
    object_kind text not null,
    object_id text not null,
    call_id uuid,
    reason text not null default '',
    detail jsonb not null default '{}',
    prev_hash bytea not null check (length(prev_hash) = 32),
    hash bytea not null check (length(hash) = 32)
);
create index access_events_call on access_events (call_id, id);
create index access_events_user on access_events (user_id, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'rows of % are never changed or removed', tg_table_name;
end
$$;
create trigger access_events_stay before update or delete or truncate on access_events
    for each statement execute function refuse_change();

-- The highest event of each media node that is in this database.
create table node_progress (
    node text primary key,
    seq bigint not null,
    at timestamptz not null
);
