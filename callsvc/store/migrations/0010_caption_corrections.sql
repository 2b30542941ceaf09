-- A word that the operator put right while the call went on. The transcript that comes later takes it over, as a
-- correction by the same person; what was heard and what was meant stay here whatever becomes of it.
create table caption_corrections (
    id bigint generated always as identity primary key,
    call_id uuid not null references calls on delete cascade,
    leg text not null check (leg in ('caller', 'operator')),
    at_ms integer not null check (at_ms >= 0),
    heard text not null,
    meant text not null,
    user_id uuid not null references users,
    at timestamptz not null
);
create index caption_corrections_call on caption_corrections (call_id, id);

alter table captions add column corrected text;
