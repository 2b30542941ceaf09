"""Accounts, the first administrator, and the last one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from callsvc.access import first, passwords, people
from callsvc.access.passwords import WeakPassword
from callsvc.access.rights import Action
from callsvc.access.sessions import WrongPassword, change_password, sign_in
from callsvc.errors import Conflict, NotFound, UsageError
from callsvc.ids import new_id
from callsvc.store import Database
from callsvc.types import Role

pytestmark = pytest.mark.call

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = "sju gröna lyktor"


async def person(database: Database, name: str, *roles: Role, fresh: bool = False) -> people.Person:
    async with database.transaction() as conn:
        return await people.create(
            conn, name=name, display_name="N N", roles=roles, password=GOOD, at=T0, must_change_password=fresh
        )


async def test_a_name_is_one_however_it_is_written(database: Database) -> None:
    assert (await person(database, " Åsa.Öberg ", Role.QA)).name == "åsa.öberg"
    with pytest.raises(Conflict):
        await person(database, "ÅSA.ÖBERG")
    async with database.transaction() as conn:
        assert [p.name for p in await people.listing(conn)] == ["åsa.öberg"]


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "x" * 101, "a\x00b"])
async def test_a_name_that_cannot_be_is_refused(database: Database, name: str) -> None:
    with pytest.raises(UsageError):
        await person(database, name)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "my name is eva okay", "x" * 201])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        passwords.check(password, name="eva")


async def test_a_password_is_kept_as_argon2id_and_nothing_else(database: Database) -> None:
    await person(database, "eva")
    async with database.transaction() as conn:
        cursor = await conn.execute("select * from users")
        row = await cursor.fetchone()
    assert row is not None
    assert row["password_hash"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert GOOD not in str(row)


async def test_an_unknown_name_takes_a_hash_too_and_matches_nothing() -> None:
    assert await passwords.matches(await passwords.digest(GOOD), GOOD)
    assert not await passwords.matches(await passwords.digest(GOOD), GOOD + "x")
    assert not await passwords.matches(None, GOOD)
    assert not await passwords.matches("no hash at all", GOOD)


def test_one_time_passwords_pass_the_check_and_differ() -> None:
    made = {passwords.one_time() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        passwords.check(password, name="admin")


async def test_the_last_administrator_can_be_neither_closed_nor_demoted(database: Database) -> None:
    only = await person(database, "eva", Role.ADMIN)

    async def close() -> None:
        async with database.transaction() as conn:
            await people.disable(conn, only.id, at=T0)

    async def demote() -> None:
        async with database.transaction() as conn:
            await people.set_roles(conn, only.id, [Role.QA])

    for change in (close, demote):
        with pytest.raises(Conflict):
            await change()
    async with database.transaction() as conn:
        assert await people.get(conn, only.id) == only
    await person(database, "bo", Role.ADMIN)
    await close()


async def test_two_administrators_who_remove_each_other_leave_one(database: Database) -> None:
    both = [await person(database, name, Role.ADMIN) for name in ("eva", "bo")]

    async def close(who: people.Person) -> None:
        async with database.transaction() as conn:
            await people.disable(conn, who.id, at=T0)

    outcomes = await asyncio.gather(*(close(who) for who in both), return_exceptions=True)
    async with database.transaction() as conn:
        left = [p for p in await people.listing(conn) if p.disabled_at is None]
    assert len(left) == 1
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1


async def test_who_must_change_the_password_may_do_nothing_else(database: Database) -> None:
    assert not (await person(database, "eva", Role.ADMIN, fresh=True)).may(Action.USERS_ADMIN)
    assert (await person(database, "bo", Role.ADMIN)).may(Action.USERS_ADMIN)


async def test_somebody_who_does_not_exist_is_not_found(database: Database) -> None:
    async with database.transaction() as conn:
        with pytest.raises(NotFound):
            await people.get(conn, new_id())
        with pytest.raises(NotFound):
            await people.set_password(conn, new_id(), GOOD, must_change_password=False)


async def test_the_first_administrator_gets_a_new_one_time_password_until_it_is_changed(
    database: Database,
) -> None:
    async def at_start() -> first.OneTime | None:
        async with database.transaction() as conn:
            return await first.administrator(conn, at=T0)

    lost, given = await at_start(), await at_start()
    assert lost is not None
    assert given is not None
    with pytest.raises(WrongPassword):
        await sign_in(database, name=lost.name, password=lost.password, address="a", at=T0)
    _, session = await sign_in(database, name=given.name, password=given.password, address="a", at=T0)
    assert session.person.must_change_password
    assert set(session.person.roles) == set(Role)
    _, changed = await change_password(database, session, old=given.password, new=GOOD, address="a", at=T0)
    assert not changed.person.must_change_password
    assert await at_start() is None


async def test_two_processes_that_start_at_once_make_one_administrator(database: Database) -> None:
    async def at_start() -> first.OneTime | None:
        async with database.transaction() as conn:
            return await first.administrator(conn, at=T0)

    await asyncio.gather(at_start(), at_start())
    async with database.transaction() as conn:
        assert len(await people.listing(conn)) == 1
