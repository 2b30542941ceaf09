-- How a leg's own end found its connection while a call went on: what the line did to those who spoke, every ten
-- seconds, so that whoever listens again knows what was lost on the way and what was never said.

create table leg_connections (
    id bigint generated always as identity primary key,
    call_id uuid not null references calls on delete cascade,
    leg text not null,
    at_ms integer not null,
    received integer not null,
    lost integer not null,
    made_up_ms integer not null,
    jitter_ms integer not null,
    buffer_ms integer not null,
    trip_ms integer,
    sent_lost_pct integer,
    sent_jitter_ms integer
);
create index leg_connections_of_call on leg_connections (call_id);
