-- What was done during a call, as its node told it: masks, markers, holds, announcements, listening back.

create table call_notes (
    id bigint generated always as identity primary key,
    call_id uuid not null references calls on delete cascade,
    at_ms bigint not null check (at_ms >= 0),
    note text not null,
    what jsonb not null
);
create index call_notes_of_call on call_notes (call_id, at_ms);
