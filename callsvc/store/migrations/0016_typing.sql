-- When the operator typed during a call and how loud it was at the microphone, as its node told it: never what.

create table call_typing (
    id bigint generated always as identity primary key,
    call_id uuid not null references calls on delete cascade,
    at_ms integer[] not null,
    level_db smallint[] not null,
    check (cardinality(at_ms) = cardinality(level_db))
);
create index call_typing_of_call on call_typing (call_id);
