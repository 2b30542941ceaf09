"""`callsvc user`: accounts for whoever runs the machine and cannot sign in."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from callsvc.access import sessions, trail
from callsvc.access.command import app
from callsvc.errors import Conflict, NotFound
from callsvc.store import Database

pytestmark = pytest.mark.call

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_this_database(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSVC_DATABASE__URL", conninfo)


def said(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None:
        raise result.exception
    return result.output


def test_accounts_are_added_listed_and_given_new_passwords() -> None:
    assert "inga användare" in said("list")
    made = said("add", "Eva", "--role", "qa", "--role", "operator", "--display-name", "Eva Ek")
    assert re.search(r"eva är upplagd\. Engångslösenord: (\w{5}-){3}\w{5} ", made)
    assert said("list") == "eva\tEva Ek\toperator qa\töppet\tlösenord ska bytas\n"
    again = said("password", "EVA")
    assert re.search(r"Nytt engångslösenord för eva: (\w{5}-){3}\w{5} ", again)
    assert made.split()[-6] != again.split()[-6]


def test_a_name_that_is_taken_or_unknown_is_said_so() -> None:
    said("add", "eva", "--role", "qa")
    with pytest.raises(Conflict):
        said("add", "eva", "--role", "qa")
    with pytest.raises(NotFound):
        said("password", "bo")


def test_a_role_is_needed_and_must_be_one() -> None:
    assert CliRunner().invoke(app, ["add", "eva"]).exit_code == 2
    assert CliRunner().invoke(app, ["add", "eva", "--role", "king"]).exit_code == 2


async def test_the_new_password_signs_in_at_once_and_the_trail_knows(database: Database) -> None:
    await asyncio.to_thread(said, "add", "eva", "--role", "qa")
    found = re.search(r"för eva: (\S+)", await asyncio.to_thread(said, "password", "eva"))
    assert found is not None
    _, session = await sessions.sign_in(database, name="eva", password=found[1], address="a", at=T0)
    assert session.person.must_change_password
    async with database.transaction() as conn:
        assert (await trail.verify(conn)).id == 2
        assert {event.reason for event in await trail.events(conn)} == {"command line"}
