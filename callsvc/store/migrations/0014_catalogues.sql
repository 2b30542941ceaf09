-- Texts that administrators edit: line profiles, checklists, legal bases, scorecard. Every version stays as it was saved.

create table catalogues (
    kind text not null,
    version integer not null check (version > 0),
    body text not null,
    why text not null,
    undoes integer check (undoes >= 0),
    by_id uuid references users,
    at timestamptz not null,
    primary key (kind, version)
);
create trigger catalogues_stay before update or delete or truncate on catalogues
    for each statement execute function refuse_change();
