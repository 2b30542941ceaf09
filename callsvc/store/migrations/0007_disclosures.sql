-- What was handed out to somebody outside, or refused, and on which ground. Nothing of it is ever changed.

create table disclosures (
    id uuid primary key,
    call_id uuid not null references calls on delete cascade,
    copy_id uuid,
    basis text not null,
    basis_version text not null,
    answers jsonb not null,
    recipient text not null,
    granted boolean not null,
    motive text not null,
    heard_ms bigint check (heard_ms >= 0),
    words integer check (words >= 0),
    by_id uuid not null references users,
    at timestamptz not null
);
create index disclosures_call on disclosures (call_id, at);
create trigger disclosures_stay before update or truncate on disclosures
    for each statement execute function refuse_change();
