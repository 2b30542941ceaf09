"""Coming in, and unlocking, by a passkey: the same door as by password, with the same limit on wrong tries."""

from __future__ import annotations

from datetime import datetime

from callsvc.access import attempts, lock, passkey_questions, passkeys, sessions, trail
from callsvc.access.passkey_questions import Purpose
from callsvc.access.passkeys import Answer, Copied, NotAccepted
from callsvc.access.people import Person
from callsvc.access.relying_party import RelyingParty
from callsvc.access.sessions import Session
from callsvc.store import Database


async def sign_in(
    database: Database,
    answer: Answer,
    *,
    party: RelyingParty,
    holder: str,
    address: str,
    at: datetime,
    browser: str = "",
) -> tuple[str, Session]:
    """The token for the cookie, and the session. `holder` is a secret of the browser that was asked.

    Raises `NotAsked`, `NotAccepted`, `TooManyAttempts`.
    """
    who, attempt = await _answered(
        database, answer, Purpose.ENTER, party=party, holder=holder, address=address, at=at
    )
    async with database.transaction() as conn:
        await attempts.succeed(conn, attempt)
        await conn.execute("update users set last_login_at = %s where id = %s", [at, who.id])
        return await sessions.open_for(conn, who, at=at, address=address, browser=browser)


async def unlock(
    database: Database, session: Session, answer: Answer, *, party: RelyingParty, address: str, at: datetime
) -> None:
    """Open a locked screen. Raises as `sign_in` does, also for a passkey of somebody else."""
    who, attempt = await _answered(
        database,
        answer,
        Purpose.UNLOCK,
        name=session.person.name,
        party=party,
        holder=str(session.id),
        address=address,
        at=at,
    )
    if who.id != session.person.id:
        raise NotAccepted
    async with database.transaction() as conn:
        await attempts.succeed(conn, attempt)
        await lock.vouched_for(conn, session.id, at=at)


async def _answered(
    database: Database,
    answer: Answer,
    purpose: Purpose,
    *,
    party: RelyingParty,
    holder: str,
    address: str,
    at: datetime,
    name: str | None = None,
) -> tuple[Person, int]:
    """Who has answered, and the attempt that is yet to be called a success."""
    challenge = passkeys.challenge_of(answer)
    # Each in a transaction of its own: a refusal undoes neither the count of tries nor the question's end.
    async with database.transaction() as conn:
        name = name or await passkeys.owner_name(conn, answer.credential_id) or answer.credential_id.hex()
        attempt = await attempts.begin(conn, name=name, address=address, at=at)
    async with database.transaction() as conn:
        await passkey_questions.take(conn, challenge, purpose, holder=holder, at=at)
    try:
        async with database.transaction() as conn:
            return await passkeys.use(conn, party, answer, challenge=challenge, at=at), attempt
    except Copied as error:
        async with database.transaction() as conn:
            await trail.record(
                conn,
                user_id=None,
                action="user.passkey_copied",
                object_kind="user",
                object_id=str(error.owner),
                at=at,
            )
        raise
