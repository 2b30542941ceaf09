-- Each utterance knows when its call began: what was said long ago, and often, is put in order without looking at
-- every call in which it was.

alter table utterances add column called_at timestamptz;

create function utterance_called_at() returns trigger language plpgsql as $$
begin
    new.called_at := (select c.started_at from transcripts t join calls c on c.id = t.call_id where t.id = new.transcript_id);
    return new;
end $$;
create trigger utterances_called before insert on utterances
    for each row execute function utterance_called_at();

create function call_began() returns trigger language plpgsql as $$
begin
    update utterances u set called_at = new.started_at from transcripts t
     where t.call_id = new.id and u.transcript_id = t.id;
    return null;
end $$;
create trigger calls_began after update of started_at on calls
    for each row when (old.started_at is distinct from new.started_at) execute function call_began();

update utterances u set called_at = c.started_at from transcripts t join calls c on c.id = t.call_id
 where t.id = u.transcript_id and c.started_at is not null;
