"""What would go tonight: each call by the first rule that fits it, and a hold before every rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr

from callsvc.access import people
from callsvc.config import DatabaseSettings
from callsvc.errors import Conflict
from callsvc.recordings.keys_command import dispose
from callsvc.retention import holds
from callsvc.retention.rules import rules
from callsvc.retention.tonight import Outcome, judge
from callsvc.store import Connection, Database
from callsvc.types import Profile, Role
from tests.support import past_calls
from tests.support.web import settings_for

pytestmark = pytest.mark.evidence

NIGHT = date(2028, 1, 1)
OLD = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)


async def written_up(conn: Connection, call: UUID, by: UUID, case: str | None, *labels: str) -> None:
    await conn.execute(
        "insert into wrap_ups (call_id, by_id, case_number, labels, state, saved_at) values (%s, %s, %s, %s, 'done', %s)",
        [call, by, case, list(labels), OLD],
    )


async def who(conn: Connection) -> UUID:
    made = await people.create(
        conn, name="vera", display_name="Vera", roles=[Role.ADMIN], password="fyra gula hästar äter", at=OLD
    )
    return made.id


async def outcome_of(conn: Connection, call: UUID, night: date = NIGHT) -> tuple[Outcome, str | None]:
    for wanted in ("due", "held", "waiting", "unruled"):
        for one in (await judge(conn, rules(), night, outcome=wanted)).calls:
            if one.id == call:
                return one.outcome, one.rule
    raise AssertionError("The call was not judged at all.")


async def test_the_first_rule_that_fits_has_the_call_and_lets_it_go_when_its_last_day_is_over(
    database: Database, quick_passwords: None
) -> None:
    async with database.transaction() as conn:
        by = await who(conn)
        emergency = await past_calls.finished(conn, at=OLD, profile=Profile.EMERGENCY)
        newer = await past_calls.finished(conn, at=OLD + timedelta(hours=1), profile=Profile.EMERGENCY)
        demo = await past_calls.finished(conn, at=OLD)
        await conn.execute("update calls set demo = true where id = %s", [demo])
        anonymous = await past_calls.finished(conn, at=OLD, profile=Profile.ANONYMOUS)
        filed = await past_calls.finished(conn, at=OLD, profile=Profile.EMERGENCY)
        await written_up(conn, filed, by, "0201-K1-26")
        banned = await past_calls.finished(conn, at=OLD)
        await written_up(conn, banned, by, "0201-K1-26", "contact_ban")
        live = await past_calls.live(conn, at=OLD)

        assert await outcome_of(conn, emergency) == ("due", "command_centre")
        # Half past midnight here, though UTC calls it the old year: kept a year longer.
        assert await outcome_of(conn, newer) == ("waiting", "command_centre")
        assert await outcome_of(conn, demo) == ("due", "demonstration")
        assert await outcome_of(conn, anonymous) == ("due", "anonymous")
        assert await outcome_of(conn, filed) == ("waiting", "investigation")
        assert await outcome_of(conn, banned) == ("waiting", "protection")
        with pytest.raises(AssertionError):
            await outcome_of(conn, live)

        await holds.close_case(conn, "0201-K1-26", on=date(2026, 6, 30), by=by, at=OLD)
        assert await outcome_of(conn, banned) == ("due", "protection")
        assert await outcome_of(conn, filed) == ("waiting", "investigation")
        assert await outcome_of(conn, filed, date(2032, 1, 1)) == ("due", "investigation")
        await holds.reopen_case(conn, "0201-K1-26")
        assert await outcome_of(conn, filed, date(2032, 1, 1)) == ("waiting", "investigation")


async def test_a_hold_on_a_call_or_on_its_case_wins_until_it_is_lifted_and_in_the_database_too(
    database: Database, conninfo: str, tmp_path: Path, quick_passwords: None
) -> None:
    settings = settings_for(tmp_path / "data").model_copy(
        update={"database": DatabaseSettings(url=SecretStr(conninfo), pool_max=2)}
    )
    async with database.transaction() as conn:
        by = await who(conn)
        call = await past_calls.finished(conn, at=OLD, profile=Profile.EMERGENCY)
        filed = await past_calls.finished(conn, at=OLD, profile=Profile.REPORT)
        await holds.close_case(conn, "K9-26", on=date(2020, 1, 1), by=by, at=OLD)
        on_call = await holds.place(conn, call=call, case=None, reason="Åtal prövas", by=by, at=OLD)
        # A call that is written up under the case later is held as well.
        on_case = await holds.place(conn, call=None, case="K9-26", reason="Åtal prövas", by=by, at=OLD)
        await written_up(conn, filed, by, "K9-26")
        assert await outcome_of(conn, call) == ("held", "command_centre")
        assert await outcome_of(conn, filed) == ("held", "investigation")
        assert {one.id: one.calls for one in await holds.listing(conn)} == {on_call: 1, on_case: 1}
    for held in (call, filed):
        with pytest.raises(psycopg.errors.RaiseException, match="is held"):
            async with database.transaction() as conn:
                await conn.execute("delete from calls where id = %s", [held])
        # Nor does the command that ends a recording by its key.
        with pytest.raises(Conflict, match="held"):
            await dispose(settings, held, "rule 7")
    async with database.transaction() as conn:
        for one in (on_call, on_case):
            await holds.lift(conn, one, why="Målet är avgjort", by=by, at=OLD)
        assert await outcome_of(conn, call) == ("due", "command_centre")
        assert await outcome_of(conn, filed) == ("due", "investigation")
        await conn.execute("delete from calls where id = %s", [call])


async def test_counts_pages_and_what_follows(database: Database, quick_passwords: None) -> None:
    async with database.transaction() as conn:
        made = [
            await past_calls.finished(conn, at=OLD - timedelta(days=n), profile=Profile.EMERGENCY)
            for n in range(5)
        ]
        await past_calls.transcribed(conn, made[4])
        await past_calls.finished(conn, at=OLD, profile=Profile.ANONYMOUS)
        first = await judge(conn, rules(), NIGHT, rule="command_centre", limit=3)
        assert first.counts == {("command_centre", "due"): 5, ("anonymous", "due"): 1}
        assert [one.id for one in first.calls] == made[:1:-1]
        assert first.calls[0].follow == {"recordings": 0, "transcripts": 1, "copies": 0, "disclosures": 0}
        assert first.calls[0].last_day == date(2027, 12, 31)
        rest = await judge(conn, rules(), NIGHT, rule="command_centre", limit=3, offset=3)
        assert [one.id for one in rest.calls] == made[1::-1]
        assert (await judge(conn, rules(), NIGHT, rule="no_such")).calls == []
