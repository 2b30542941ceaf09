-- Orders to keep a call, or every call of a case, and when cases were closed. An order is never removed: it is lifted.

create table holds (
    id uuid primary key,
    call_id uuid references calls on delete cascade,
    case_number text check (case_number ~ '^[0-9A-Z][0-9A-Z-]{2,39}$'),
    reason text not null,
    by_id uuid not null references users,
    at timestamptz not null,
    lifted_at timestamptz,
    lifted_by uuid references users,
    lifted_why text not null default '',
    check ((call_id is null) <> (case_number is null)),
    check ((lifted_at is null) = (lifted_by is null))
);
create index holds_call on holds (call_id) where lifted_at is null;
create index holds_case on holds (case_number) where lifted_at is null;

create table case_closings (
    case_number text primary key check (case_number ~ '^[0-9A-Z][0-9A-Z-]{2,39}$'),
    closed_on date not null,
    by_id uuid not null references users,
    at timestamptz not null
);

-- Whatever else goes wrong: what is held is not deleted.
create function refuse_held() returns trigger language plpgsql as $$
begin
    if exists (select 1 from holds where lifted_at is null and (call_id = old.id
               or case_number = (select case_number from wrap_ups where wrap_ups.call_id = old.id))) then
        raise exception 'call % is held', old.id;
    end if;
    return old;
end
$$;
create trigger calls_held before delete on calls for each row execute function refuse_held();
