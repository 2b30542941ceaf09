"""One's own account: where one is signed in, and the second factor."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request

from callsvc.access import attempts, lock, second_factor, sessions, totp
from callsvc.access.sessions import Session, WrongPassword
from callsvc.errors import Conflict
from callsvc.web import door
from callsvc.web.door import EvenLocked, OneSite, SignedIn
from callsvc.web.problems import Problem
from callsvc.web.routes.people import address, me, note
from callsvc.web.shapes import (
    Code,
    Me,
    NewSecondFactor,
    OwnPassword,
    SecondFactorOut,
    SessionList,
    SessionOut,
    Unlocking,
)
from callsvc.web.site import Site

router = APIRouter(prefix="/api/me", tags=["people"])


@router.post("/activity", status_code=204)
async def activity(here: OneSite, session: SignedIn) -> None:
    """Somebody sits before the screen. Said once a minute, so that it does not lock."""
    async with here.database.transaction() as conn:
        await lock.active(conn, session, at=here.clock.utc_now())


@router.post("/lock", status_code=204)
async def lock_screen(here: OneSite, session: EvenLocked) -> None:
    """Lock: from now on this session opens nothing until it is unlocked. The call in hand goes on."""
    async with here.database.transaction() as conn:
        await lock.lock(conn, session, at=here.clock.utc_now())


@router.post("/unlock")
async def unlock(request: Request, here: OneSite, session: EvenLocked, asked: Unlocking) -> Me:
    """Unlock by the password, and by the second factor where one is set up."""
    at = here.clock.utc_now()
    try:
        await lock.unlock(
            here.database,
            session,
            password=asked.password,
            code=asked.code,
            cipher=here.second_factors,
            address=address(request),
            at=at,
        )
    except WrongPassword:
        raise Problem("wrong_present_password") from None
    return me(here, replace(session, locked_at=None, active_at=at))


@router.get("/sessions")
async def where_signed_in(here: OneSite, session: SignedIn) -> SessionList:
    """Where one is signed in, the latest first."""
    async with here.database.transaction() as conn:
        found = await sessions.of_person(conn, session.person.id, at=here.clock.utc_now())
    return SessionList(
        sessions=[
            SessionOut(
                id=one.id,
                created_at=one.created_at,
                seen_at=one.seen_at,
                address=one.address,
                browser=one.browser,
                current=one.id == session.id,
            )
            for one in found
        ]
    )


@router.post("/sessions/{session_id}/end", status_code=204)
async def end(here: OneSite, session: SignedIn, session_id: Annotated[UUID, Path()]) -> None:
    """Sign out elsewhere: that browser is signed out at its next question."""
    async with here.database.transaction() as conn:
        await sessions.end(conn, session.person.id, session_id)


@router.post("/sessions/end", status_code=204)
async def end_others(here: OneSite, session: SignedIn) -> None:
    """Sign out everywhere else: every other browser is signed out at its next question."""
    async with here.database.transaction() as conn:
        await sessions.end_others(conn, session)


@router.get("/second-factor")
async def standing(here: OneSite, session: SignedIn) -> SecondFactorOut:
    """Whether a code is asked for at sign-in."""
    async with here.database.transaction() as conn:
        return SecondFactorOut(on=await second_factor.is_on(conn, session.person.id))


@router.post("/second-factor", status_code=201)
async def begin(here: OneSite, session: SignedIn) -> NewSecondFactor:
    """A secret for an authenticator. It counts once `confirmation` has been given a code of it."""
    if session.person.issuer is not None:
        raise Problem("external_account")
    async with here.database.transaction() as conn:
        try:
            secret = await second_factor.begin(conn, here.second_factors, session.person.id)
        except Conflict:
            raise Problem("second_factor_on") from None
    return NewSecondFactor(secret=totp.shown(secret), address=totp.address(secret, session.person.name))


@router.post("/second-factor/confirmation", status_code=204)
async def confirm(request: Request, here: OneSite, session: SignedIn, asked: Code) -> None:
    """The first code of the authenticator: from now on one is asked for at each sign-in."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        attempt = await attempts.begin(conn, name=session.person.name, address=address(request), at=at)
    async with here.database.transaction() as conn:
        await second_factor.confirm(conn, here.second_factors, session.person.id, asked.code, at=at)
        await attempts.succeed(conn, attempt)
        await note(conn, here, session, "user.second_factor_on", session.person)


@router.post("/second-factor/removal", status_code=204)
async def remove(request: Request, here: OneSite, session: SignedIn, asked: OwnPassword) -> None:
    """Do without the second factor from now on; the password is asked for once more."""
    await prove(request, here, session, asked)
    async with here.database.transaction() as conn:
        if await second_factor.remove(conn, session.person.id):
            await door.keep_a_factor(conn, here, session.person)
            await note(conn, here, session, "user.second_factor_off", session.person)


async def prove(request: Request, here: Site, session: Session, asked: OwnPassword) -> None:
    """The password once more, before a way in is changed. Raises `Problem`, `TooManyAttempts`."""
    at = here.clock.utc_now()
    try:
        await sessions.prove(here.database, session, asked.password, address=address(request), at=at)
    except WrongPassword:
        raise Problem("wrong_present_password") from None
