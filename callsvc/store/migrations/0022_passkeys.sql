-- Passkeys of local accounts: the public half of a key pair, and the counter that its device keeps.

create table passkeys (
    id uuid primary key,
    credential_id bytea not null unique,
    user_id uuid not null references users on delete cascade,
    public_key bytea not null,
    sign_count bigint not null,
    label text not null,
    transports text[] not null default '{}',
    made_at timestamptz not null,
    used_at timestamptz
);
create index passkeys_user on passkeys (user_id);

-- A question that was put to a passkey and not answered yet. It is good once, and for the browser or session it was put to.
create table passkey_questions (
    challenge_hash bytea primary key,
    holder_hash bytea not null,
    purpose text not null,
    address text not null,
    put_at timestamptz not null
);
create index passkey_questions_address on passkey_questions (address);
