"""Signing in and out, idle and old sessions, and the limit on wrong passwords."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from callsvc.access import attempts, people, sessions
from callsvc.access.attempts import PER_ADDRESS, PER_NAME, PER_NAME_AND_ADDRESS, WINDOW, TooManyAttempts
from callsvc.access.passwords import WeakPassword
from callsvc.access.sessions import IDLE, LIFETIME, NotSignedIn, Session, WrongPassword
from callsvc.store import Database
from callsvc.types import Role

pytestmark = pytest.mark.call

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
GOOD, NEW = "sju gröna lyktor", "nio blåa lyktor"


async def eva(database: Database, name: str = "eva") -> people.Person:
    async with database.transaction() as conn:
        return await people.create(
            conn,
            name=name,
            display_name="Eva",
            roles=[Role.QA],
            password=GOOD,
            at=T0,
            must_change_password=False,
        )


async def enter(
    database: Database,
    *,
    name: str = "eva",
    password: str = GOOD,
    address: str = "10.0.0.1",
    at: datetime = T0,
) -> tuple[str, Session]:
    return await sessions.sign_in(database, name=name, password=password, address=address, at=at)


async def known(database: Database, token: str, at: datetime = T0) -> Session:
    async with database.transaction() as conn:
        return await sessions.find(conn, token, at=at)


async def fail(database: Database, times: int, *, name: str = "eva", address: str = "10.0.0.1") -> None:
    # As many attempts that never came to a right password, without waiting for each one's hash.
    for _ in range(times):
        async with database.transaction() as conn:
            await attempts.begin(conn, name=name, address=address, at=T0)


async def test_the_token_leads_to_the_person_until_signed_out(database: Database) -> None:
    person = await eva(database)
    token, session = await enter(database, name=" EVA ")
    assert (await known(database, token)).person.id == person.id
    async with database.transaction() as conn:
        await sessions.sign_out(conn, session)
    with pytest.raises(NotSignedIn):
        await known(database, token)


async def test_the_database_does_not_hold_the_token(database: Database) -> None:
    await eva(database)
    token, _ = await enter(database)
    async with database.transaction() as conn:
        cursor = await conn.execute("select s::text as row from sessions s")
        assert token not in str(await cursor.fetchall())


@pytest.mark.parametrize(
    ("name", "password"), [("eva", "wrong"), ("nobody", GOOD), ("", ""), ("e\x00va!", "\x00")]
)
async def test_a_wrong_name_and_a_wrong_password_are_told_apart_by_nobody(
    database: Database, name: str, password: str
) -> None:
    await eva(database)
    with pytest.raises(WrongPassword) as refused:
        await enter(database, name=name, password=password)
    assert refused.value.message == "The user name or the password is wrong."


async def test_a_session_ends_when_idle_and_when_old(database: Database) -> None:
    await eva(database)
    token, _ = await enter(database)
    at = T0
    while at < T0 + LIFETIME - SECOND:
        await known(database, token, at)
        at += IDLE - SECOND
    with pytest.raises(NotSignedIn):
        await known(database, token, T0 + LIFETIME)
    token, _ = await enter(database)
    with pytest.raises(NotSignedIn):
        await known(database, token, T0 + IDLE)


async def test_a_clock_that_is_set_back_makes_no_session_longer_and_keeps_nobody_out(
    database: Database,
) -> None:
    await eva(database)
    tomorrow = T0 + timedelta(days=1)
    token, _ = await enter(database, at=tomorrow)
    await known(database, token, tomorrow - timedelta(minutes=1))  # another host's clock
    for _ in range(PER_NAME_AND_ADDRESS):
        with pytest.raises(WrongPassword):
            await enter(database, password="fel", at=tomorrow)

    with pytest.raises(NotSignedIn):
        await known(database, token, T0)
    await enter(database, at=T0)


async def test_a_closed_account_is_out_at_once_and_cannot_come_in(database: Database) -> None:
    person = await eva(database)
    token, _ = await enter(database)
    async with database.transaction() as conn:
        await people.create(conn, name="bo", display_name="Bo", roles=[Role.ADMIN], password=GOOD, at=T0)
        await people.disable(conn, person.id, at=T0)
    with pytest.raises(NotSignedIn):
        await known(database, token)
    with pytest.raises(WrongPassword):
        await enter(database)


@pytest.mark.parametrize("token", ["", "x", "Ã¥" * 50, "' or 1=1 --"])
async def test_a_made_up_token_leads_nowhere(database: Database, token: str) -> None:
    with pytest.raises(NotSignedIn):
        await known(database, token)


async def test_a_new_password_ends_every_other_session(database: Database) -> None:
    await eva(database)
    other, _ = await enter(database)
    _, session = await enter(database)
    with pytest.raises(WrongPassword):
        await sessions.change_password(database, session, old="wrong", new=NEW, address="a", at=T0)
    with pytest.raises(WeakPassword):
        await sessions.change_password(database, session, old=GOOD, new=GOOD, address="a", at=T0)
    with pytest.raises(WeakPassword):
        await sessions.change_password(database, session, old=GOOD, new="short", address="a", at=T0)
    token, _ = await sessions.change_password(database, session, old=GOOD, new=NEW, address="a", at=T0)
    assert (await known(database, token)).person.name == "eva"
    with pytest.raises(NotSignedIn):
        await known(database, other)
    with pytest.raises(WrongPassword):
        await enter(database, password=GOOD)
    await enter(database, password=NEW)


async def test_after_too_many_wrong_passwords_even_the_right_one_waits(database: Database) -> None:
    await eva(database)
    await fail(database, PER_NAME_AND_ADDRESS)
    with pytest.raises(TooManyAttempts):
        await enter(database)
    # Trying on does not make the wait longer.
    with pytest.raises(TooManyAttempts):
        await enter(database, at=T0 + WINDOW)
    await enter(database, at=T0 + WINDOW + SECOND)


async def test_a_right_password_forgets_the_wrong_ones_before_it(database: Database) -> None:
    await eva(database)
    for _ in range(2):
        await fail(database, PER_NAME_AND_ADDRESS - 1)
        await enter(database)


async def test_an_address_that_tries_many_names_waits_and_others_do_not(database: Database) -> None:
    await eva(database)
    for number in range(PER_ADDRESS):
        await fail(database, 1, name=f"name{number}", address="10.6.6.6")
    with pytest.raises(TooManyAttempts):
        await enter(database, address="10.6.6.6")
    await enter(database, address="10.0.0.1")


async def test_one_stranger_does_not_shut_somebody_out_but_many_do(database: Database) -> None:
    await eva(database)
    for address in range(PER_NAME // PER_NAME_AND_ADDRESS):
        await enter(database, address="10.0.0.1")
        await fail(database, PER_NAME_AND_ADDRESS, address=f"10.6.6.{address}")
    await enter(database, address="10.0.0.1")
    for address in range(PER_NAME // PER_NAME_AND_ADDRESS):
        await fail(database, PER_NAME_AND_ADDRESS, address=f"10.7.7.{address}")
    with pytest.raises(TooManyAttempts):
        await enter(database, address="10.0.0.1")


async def test_attempts_side_by_side_do_not_pass_the_limit(database: Database) -> None:
    await eva(database)
    outcomes = await asyncio.gather(
        *(fail(database, 1) for _ in range(PER_NAME_AND_ADDRESS + 5)), return_exceptions=True
    )
    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == 5


async def test_a_failed_attempt_stays_counted_and_names_nobody(database: Database) -> None:
    await eva(database)
    with pytest.raises(WrongPassword):
        await enter(database, name="hemligt lösenord", password="wrong")
    async with database.transaction() as conn:
        cursor = await conn.execute("select a::text as row from login_attempts a")
        rows = await cursor.fetchall()
    assert len(rows) == 1
    assert "hemligt" not in str(rows)


async def test_old_attempts_are_not_kept(database: Database) -> None:
    await eva(database)
    await fail(database, 3)
    await enter(database, at=T0 + 2 * WINDOW)
    async with database.transaction() as conn:
        cursor = await conn.execute("select count(*) from login_attempts")
        assert await cursor.fetchone() == {"count": 1}
