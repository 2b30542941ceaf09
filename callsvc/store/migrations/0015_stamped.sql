-- When a time-stamping authority's token was put beside an archived recording: those without one are asked for again.

alter table recordings
    add column stamped_at timestamptz;

create index recordings_unstamped on recordings (archived_at) where state = 'archived' and stamped_at is null;
