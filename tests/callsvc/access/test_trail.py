"""Nothing of a call is read without a reason, every read leaves an event, and the events are a chain."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callsvc.access import people, reasons, sessions, trail
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.errors import AccessDenied, NotFound, ReasonRequired, UsageError, VerificationFailed
from callsvc.ids import new_id
from callsvc.store import Connection, Database, calls
from callsvc.types import Profile, Role

pytestmark = pytest.mark.call

T0 = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
GOOD = "sju gröna lyktor"


async def signed_in(database: Database, name: str, *roles: Role, fresh: bool = False) -> Session:
    async with database.transaction() as conn:
        await people.create(
            conn, name=name, display_name=name, roles=roles, password=GOOD, at=T0, must_change_password=fresh
        )
    _, session = await sessions.sign_in(database, name=name, password=GOOD, address="a", at=T0)
    return session


async def a_call(database: Database) -> UUID:
    call = new_id()
    async with database.transaction() as conn:
        await calls.create(conn, call, Profile.INTERVIEW, at=T0)
    return call


async def read(conn: Connection, session: Session, call: UUID, action: Action = Action.AUDIO_READ) -> None:
    await reasons.read(conn, session, call, action, object_kind="track", object_id="caller.rx", at=T0)


async def write(database: Database, count: int) -> None:
    async with database.transaction() as conn:
        for number in range(count):
            await trail.record(
                conn,
                user_id=None,
                action="test",
                object_kind="thing",
                object_id=str(number),
                reason=f"skäl {number} åäö",
                detail={"n": number, "yes": True, "nothing": None, "text": '"\\'},
                at=T0,
            )


async def verified(database: Database, known: trail.Head | None = None) -> trail.Head:
    async with database.transaction() as conn:
        return await trail.verify(conn, known=known)


async def tamper(database: Database, statement: str) -> None:
    """As somebody does who owns the tables."""
    async with database.transaction() as conn:
        await conn.execute("alter table access_events disable trigger access_events_stay")
        await conn.execute(statement.encode())
        await conn.execute("alter table access_events enable trigger access_events_stay")


async def test_reading_needs_a_reason_and_leaves_an_event(database: Database) -> None:
    eva, call = await signed_in(database, "eva", Role.INVESTIGATOR), await a_call(database)
    async with database.transaction() as conn:
        with pytest.raises(ReasonRequired):
            await read(conn, eva, call)
        assert await trail.events(conn) == []
        await reasons.open_call(conn, eva, call, "  Ärende  0105-K1-26 ", at=T0)
        await read(conn, eva, call)
        looked, opened = await trail.events(conn, call_id=call)
    assert (opened.action, opened.reason) == (Action.CALL_OPEN, "Ärende 0105-K1-26")
    assert (looked.action, looked.reason) == (Action.AUDIO_READ, "Ärende 0105-K1-26")
    assert (looked.user_id, looked.object_kind, looked.object_id) == (eva.person.id, "track", "caller.rx")
    assert (await verified(database)).id == 2


async def test_a_reason_opens_one_call_for_one_session(database: Database) -> None:
    eva, call, other = (
        await signed_in(database, "eva", Role.QA),
        await a_call(database),
        await a_call(database),
    )
    async with database.transaction() as conn:
        await reasons.open_call(conn, eva, call, "Granskning", at=T0)
    _, again = await sessions.sign_in(database, name="eva", password=GOOD, address="a", at=T0)
    async with database.transaction() as conn:
        with pytest.raises(ReasonRequired):
            await read(conn, eva, other)
        with pytest.raises(ReasonRequired):
            await read(conn, again, call)


@pytest.mark.parametrize("reason", ["", "  ", "x", "12345 67890", "." * 20, "a" * 501, "skäl\x00skäl"])
async def test_a_reason_must_say_something(database: Database, reason: str) -> None:
    eva, call = await signed_in(database, "eva", Role.QA), await a_call(database)
    async with database.transaction() as conn:
        with pytest.raises(UsageError):
            await reasons.open_call(conn, eva, call, reason, at=T0)


async def test_a_call_that_does_not_exist_is_not_opened(database: Database) -> None:
    eva = await signed_in(database, "eva", Role.QA)
    async with database.transaction() as conn:
        with pytest.raises(NotFound):
            await reasons.open_call(conn, eva, new_id(), "Granskning", at=T0)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ADMIN])
async def test_a_reason_gives_nobody_a_right(database: Database, role: Role) -> None:
    eva, call = await signed_in(database, "eva", role), await a_call(database)
    async with database.transaction() as conn:
        with pytest.raises(AccessDenied):
            await reasons.open_call(conn, eva, call, "Granskning", at=T0)
        with pytest.raises(AccessDenied):
            await read(conn, eva, call)


async def test_who_must_change_the_password_opens_nothing(database: Database) -> None:
    eva, call = await signed_in(database, "eva", Role.QA, fresh=True), await a_call(database)
    async with database.transaction() as conn:
        with pytest.raises(AccessDenied):
            await reasons.open_call(conn, eva, call, "Granskning", at=T0)


async def test_an_untouched_chain_is_whole_and_its_head_can_be_kept(database: Database) -> None:
    assert await verified(database) == trail.Head(0, trail.GENESIS)
    await write(database, 3)
    head = await verified(database)
    assert head.id == 3
    await write(database, 2)
    assert (await verified(database, known=head)).id == 5


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("update access_events set reason = 'annat' where id = 3", "event 3 is not what was written"),
        ("update access_events set at = at + interval '1 ms' where id = 2", "event 2 is not what"),
        ("update access_events set user_id = gen_random_uuid() where id = 4", "event 4 is not what"),
        ("""update access_events set detail = '{"n": 1}' where id = 5""", "event 5 is not what"),
        ("update access_events set hash = sha256('x') where id = 2", "event 2 is not what"),
        ("update access_events set prev_hash = sha256('x') where id = 2", "event 2 does not follow event 1"),
        ("delete from access_events where id = 3", "event 3 is missing"),
        ("delete from access_events where id = 1", "event 1 is missing"),
        ("update access_events set id = id + 100 where id > 2", "event 3 is missing"),
    ],
)
async def test_whatever_is_changed_is_found(database: Database, statement: str, says: str) -> None:
    await write(database, 6)
    await tamper(database, statement)
    with pytest.raises(VerificationFailed, match=says):
        await verified(database)


async def test_a_tail_that_is_cut_off_is_found_by_whoever_kept_the_head(database: Database) -> None:
    await write(database, 6)
    head = await verified(database)
    await tamper(database, "delete from access_events where id > 4")
    assert (await verified(database)).id == 4
    with pytest.raises(VerificationFailed, match="ends at event 4; event 6 is known"):
        await verified(database, known=head)


async def test_a_chain_written_anew_is_found_by_whoever_kept_the_head(database: Database) -> None:
    await write(database, 2)
    head = await verified(database)
    await tamper(database, "delete from access_events")
    async with database.transaction() as conn:
        for _ in range(2):
            await trail.record(conn, user_id=None, action="x", object_kind="y", object_id="z", at=T0)
    with pytest.raises(VerificationFailed, match="event 2 is not the one that was known"):
        await verified(database, known=head)


@pytest.mark.parametrize(
    "statement",
    ["update access_events set reason = ''", "delete from access_events", "truncate access_events"],
)
async def test_the_database_itself_refuses_to_change_an_event(database: Database, statement: str) -> None:
    await write(database, 1)

    async def change() -> None:
        async with database.transaction() as conn:
            await conn.execute(statement.encode())

    with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
        await change()


async def test_writers_side_by_side_make_one_chain(database: Database) -> None:
    await asyncio.gather(*(write(database, 5) for _ in range(6)))
    assert (await verified(database)).id == 30


async def test_an_event_of_a_transaction_that_fails_leaves_no_hole(database: Database) -> None:
    await write(database, 1)

    async def fails() -> None:
        async with database.transaction() as conn:
            await trail.record(conn, user_id=None, action="x", object_kind="y", object_id="z", at=T0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    await write(database, 1)
    assert (await verified(database)).id == 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=50),
    number=st.integers(-(2**53), 2**53),
    at=st.datetimes(
        datetime(1970, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
        datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
)
async def test_whatever_is_written_reads_back_as_the_same_hash(
    database: Database, text: str, number: int, at: datetime
) -> None:
    async with database.transaction() as conn:
        await trail.record(
            conn,
            user_id=new_id(),
            action="x",
            object_kind="y",
            object_id=text,
            reason=text,
            detail={text: number, "t": text},
            at=at,
        )
        await trail.verify(conn)
