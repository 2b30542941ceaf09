-- When somebody last touched key or pointer, and since when the screen is locked. A locked session opens nothing.

alter table sessions
    add column active_at timestamptz,
    add column locked_at timestamptz;
