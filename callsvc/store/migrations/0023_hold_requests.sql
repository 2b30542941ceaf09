-- Somebody who investigates asks that a call be kept; who decides on holds answers. Until then the call is kept.

create table hold_requests (
    id uuid primary key,
    call_id uuid not null references calls on delete cascade,
    reason text not null,
    by_id uuid not null references users,
    at timestamptz not null,
    answered_at timestamptz,
    answered_by uuid references users,
    granted boolean,
    answer text not null default '',
    check ((answered_at is null) = (answered_by is null) and (answered_at is null) = (granted is null))
);
create unique index hold_requests_open on hold_requests (call_id) where answered_at is null;
create index hold_requests_call on hold_requests (call_id, at);

create or replace function refuse_held() returns trigger language plpgsql as $$
begin
    if exists (select 1 from holds where lifted_at is null and (call_id = old.id
               or case_number = (select case_number from wrap_ups where wrap_ups.call_id = old.id)))
       or exists (select 1 from hold_requests where call_id = old.id and answered_at is null) then
        raise exception 'call % is held', old.id;
    end if;
    return old;
end
$$;
