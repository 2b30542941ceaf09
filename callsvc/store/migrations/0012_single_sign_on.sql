-- People whom the organisation's own provider vouches for have no password here. `subject` is the provider's id of the person.

alter table users
    alter column password_hash drop not null,
    add column issuer text,
    add column subject text,
    add constraint users_one_way_in
        check ((issuer is null) = (subject is null) and (issuer is null) = (password_hash is not null));
create unique index users_subject on users (issuer, subject);

-- A sign-in that has gone to the provider and not come back. It is good once, and in the browser that began it.
create table sign_ins (
    state_hash bytea primary key,
    browser_hash bytea not null,
    nonce text not null,
    verifier text not null,
    back text not null,
    unlocks uuid references sessions on delete cascade,
    begun_at timestamptz not null
);
