-- Transcripts: pieces, so that work that was cut off goes on where it was; layers above the machine's text; redacted
-- copies; captions; search that finds every word.

-- The stems of the Swedish configuration without its stop words: in what was said, "inte" and "jag" are words one seeks.
create text search dictionary spoken_swedish_stem (template = pg_catalog.snowball, language = swedish);
create text search configuration spoken_swedish (copy = pg_catalog.swedish);
alter text search configuration spoken_swedish
    alter mapping replace pg_catalog.swedish_stem with spoken_swedish_stem;

alter table transcripts
    add column options jsonb not null default '{}',
    add column started_at timestamptz,
    add column expected_at timestamptz;
create index transcripts_unfinished on transcripts (state, created_at)
    where state in ('queued', 'waiting_model', 'running');

create table transcript_pieces (
    transcript_id uuid not null references transcripts on delete cascade,
    leg text not null check (leg in ('caller', 'operator')),
    start_ms integer not null check (start_ms >= 0),
    end_ms integer not null check (end_ms >= start_ms),
    language text,
    likely text not null default '',
    words jsonb not null,
    at timestamptz not null,
    primary key (transcript_id, leg, start_ms)
);

-- The machine's words never change. `corrected` is the text in force above them, the last of the edits below.
alter table utterances
    drop column search,
    add column kind text not null default 'speech' check (kind in ('speech', 'crosstalk', 'unknown_language')),
    add column language text not null default '',
    add column corrected text,
    add column version integer not null default 0 check (version >= 0),
    add column search tsvector generated always as (to_tsvector('public.spoken_swedish', text)) stored,
    add column search_corrected tsvector
        generated always as (to_tsvector('public.spoken_swedish', coalesce(corrected, ''))) stored;
create index utterances_search on utterances using gin (search);
create index utterances_search_corrected on utterances using gin (search_corrected) where corrected is not null;
create trigger utterances_stay
    before update of transcript_id, n, leg, start_ms, end_ms, text, words, kind, language on utterances
    for each statement execute function refuse_change();

-- `corrected` null: back to the machine's text. `undoes`: the version that this one takes back.
create table transcript_edits (
    transcript_id uuid not null,
    n integer not null,
    version integer not null check (version > 0),
    corrected text,
    undoes integer,
    why text not null default '',
    user_id uuid not null references users,
    at timestamptz not null,
    primary key (transcript_id, n, version),
    foreign key (transcript_id, n) references utterances on delete cascade
);
create trigger transcript_edits_stay before update or truncate on transcript_edits
    for each statement execute function refuse_change();

-- A copy with stretches taken out, of text and sound alike; frozen when it is made.
create table redactions (
    id uuid primary key,
    transcript_id uuid not null references transcripts on delete cascade,
    call_id uuid not null references calls on delete cascade,
    title text not null,
    stretches jsonb not null,
    utterances jsonb not null,
    sha256 text not null,
    user_id uuid not null references users,
    at timestamptz not null
);
create index redactions_call on redactions (call_id, at);
create trigger redactions_stay before update or truncate on redactions
    for each statement execute function refuse_change();

-- What somebody wrote about the call in their own words: never taken for what was said.
create table summaries (
    call_id uuid not null references calls on delete cascade,
    version integer not null check (version > 0),
    body text not null,
    user_id uuid not null references users,
    at timestamptz not null,
    primary key (call_id, version)
);
create trigger summaries_stay before update or truncate on summaries
    for each statement execute function refuse_change();

-- Captions of calls that go on. They end with the call, and a fall of the database may take them.
create sequence caption_changes;
create unlogged table captions (
    call_id uuid not null,
    leg text not null check (leg in ('caller', 'operator')),
    n integer not null,
    start_ms integer not null,
    end_ms integer not null,
    text text not null,
    final boolean not null,
    change bigint not null default nextval('caption_changes'),
    primary key (call_id, leg, n)
);
create index captions_change on captions (call_id, change);
create unlogged table caption_states (
    call_id uuid primary key,
    state text not null check (state in ('on', 'behind', 'off')),
    why text not null default '',
    delay_ms integer not null default 0,
    at timestamptz not null
);
