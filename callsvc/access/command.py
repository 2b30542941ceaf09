"""`callsvc user`: accounts from the command line, for whoever runs the machine and cannot sign in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from callsvc.access import attempts, passwords, people, trail
from callsvc.access.rights import Action
from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import NotFound
from callsvc.locale import text
from callsvc.store import Connection, Database, address
from callsvc.types import Role

app = typer.Typer(no_args_is_help=True, help="List accounts, add one, give a new one-time password.")
DataDir = Annotated[Path | None, typer.Option(help="Directory for everything that the service keeps.")]
Name = Annotated[str, typer.Argument(help="User name, as it is typed at sign-in.")]
REASON = "command line"


@app.command("list")
def listing(data_dir: DataDir = None) -> None:
    """List the accounts: name, roles, state. The service must be running."""
    settings = load(data_dir=data_dir)

    async def work(conn: Connection) -> None:
        found = await people.listing(conn)
        if not found:
            typer.echo(text("user.none", settings.language))
        for person in found:
            state = text("user.open" if person.disabled_at is None else "user.closed", settings.language)
            change = text("user.must_change", settings.language) if person.must_change_password else ""
            typer.echo(
                "\t".join([person.name, person.display_name, " ".join(person.roles), state, change]).rstrip()
            )

    _in_transaction(settings, work)


@app.command()
def add(
    name: Name,
    role: Annotated[list[Role], typer.Option(help="Role; may be given several times.")],
    display_name: Annotated[str, typer.Option(help="The person's name, as others see it.")] = "",
    data_dir: DataDir = None,
) -> None:
    """Add an account with a one-time password, which is printed. The service must be running."""
    settings = load(data_dir=data_dir)
    password = passwords.one_time()

    async def work(conn: Connection) -> None:
        now = SystemClock().utc_now()
        person = await people.create(
            conn, name=name, display_name=display_name or name, roles=role, password=password, at=now
        )
        await _note(conn, person, {"added": True}, now)
        typer.echo(text("user.made", settings.language, name=person.name, password=password))

    _in_transaction(settings, work)


@app.command()
def password(name: Name, data_dir: DataDir = None) -> None:
    """Give an account a new one-time password, which is printed. The service must be running."""
    settings = load(data_dir=data_dir)
    fresh = passwords.one_time()

    async def work(conn: Connection) -> None:
        wanted = people.login_name(name)
        person = next((found for found in await people.listing(conn) if found.name == wanted), None)
        if person is None:
            raise NotFound("There is no such user.", hint="`callsvc user list` shows who there is.")
        now = SystemClock().utc_now()
        await people.set_password(conn, person.id, fresh, must_change_password=True)
        await attempts.forgive(conn, person.name)
        await _note(conn, person, {"password": "one-time"}, now)
        typer.echo(text("user.password", settings.language, name=person.name, password=fresh))

    _in_transaction(settings, work)


async def _note(
    conn: Connection, person: people.Person, detail: dict[str, str | int | bool | None], at: datetime
) -> None:
    await trail.record(
        conn,
        user_id=None,
        action=Action.USERS_ADMIN,
        object_kind="user",
        object_id=str(person.id),
        reason=REASON,
        detail=detail,
        at=at,
    )


def _in_transaction(settings: Settings, work: Callable[[Connection], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Database(address(settings), pool_max=2) as database, database.transaction() as conn:
            await work(conn)

    asyncio.run(run())
