-- Finding among very many calls: the newest first, a case by how its number begins, a language that is seldom spoken.

create index calls_ended on calls (started_at desc, id) where state = 'ended' and started_at is not null;
create index wrap_ups_case_begins on wrap_ups (case_number text_pattern_ops) where case_number is not null;
create index transcripts_language on transcripts (language) where state = 'done';
create index utterances_language on utterances (language) where language <> '';
