-- The signed copy of a disclosure that was granted, while it is made and for the days that it can be fetched. It lies
-- encrypted in the object store; its key is here alone, so that it goes with its call.

create table bundles (
    disclosure_id uuid primary key references disclosures on delete cascade,
    state text not null check (state in ('queued', 'running', 'done', 'failed')),
    progress real not null default 0 check (progress between 0 and 1),
    error text,
    size bigint check (size >= 0),
    wrapped_by text,
    wrapped bytea,
    asked_at timestamptz not null,
    made_at timestamptz
);
