-- How far a recording's chain had come, as the node told it while the call ran: a witness outside the node.

alter table recordings
    add column told_records bigint check (told_records > 0),
    add column told_chain text;
