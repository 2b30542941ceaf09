"""Who is asking, and whether they may: the session cookie and the table of rights, both of callsvc.access."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Depends, Path, Request, Response

from callsvc.access import lock, passkeys, second_factor, sessions, trail
from callsvc.access.lock import Locked
from callsvc.access.people import Person
from callsvc.access.rights import Action, demand
from callsvc.access.sessions import NotSignedIn, Session
from callsvc.errors import AccessDenied, Unavailable, UsageError
from callsvc.ids import parse_id
from callsvc.store import Connection
from callsvc.web.problems import Problem, language
from callsvc.web.site import Site, site

PLAIN_COOKIE: Final = "callsvc-session"
# The prefix makes browsers refuse the cookie unless it is Secure and for the whole of this one host.
SECURE_COOKIE: Final = "__Host-callsvc-session"

OneSite = Annotated[Site, Depends(site)]


def _language(request: Request) -> str:
    return language(request.headers.get("accept-language", ""))


Language = Annotated[str, Depends(_language)]
# What FastAPI calls to let somebody through.
Door = Callable[[Site, Session], Awaitable[Session]]


def secure(here: Site) -> bool:
    return here.settings.web.public_url.startswith("https:")


def cookie_name(here: Site) -> str:
    return SECURE_COOKIE if secure(here) else PLAIN_COOKIE


def set_cookie(response: Response, here: Site, token: str) -> None:
    response.set_cookie(
        cookie_name(here),
        token,
        max_age=int(sessions.LIFETIME.total_seconds()),
        path="/",
        secure=secure(here),
        httponly=True,
        samesite="lax",
    )


def clear_cookie(response: Response, here: Site) -> None:
    response.delete_cookie(cookie_name(here), path="/", secure=secure(here), httponly=True, samesite="lax")


def browser_of(request: Request, cookie: str) -> str:
    """What a browser that signs in is known by, as its cookie says; new where it has none."""
    return request.cookies.get(cookie) or secrets.token_urlsafe(32)


def know_again(
    response: Response,
    here: Site,
    cookie: str,
    browser: str,
    *,
    good_for: timedelta,
    samesite: Literal["lax", "strict"],
) -> None:
    """Have what a browser began while signing in be finished by that browser alone."""
    response.set_cookie(
        cookie,
        browser,
        max_age=int(good_for.total_seconds()),
        path="/api/sign-in",
        secure=secure(here),
        httponly=True,
        samesite=samesite,
    )


async def even_locked(request: Request, here: OneSite) -> Session:
    """The session of whoever asks, though their screen be locked. Raises `NotSignedIn`."""
    token = request.cookies.get(cookie_name(here))
    if not token:
        raise NotSignedIn
    async with here.database.transaction() as conn:
        return await sessions.find(conn, token, at=here.clock.utc_now())


def locked(here: Site, session: Session) -> bool:
    """Whether the screen of this session is locked."""
    after = timedelta(minutes=here.settings.web.lock_after_min)
    return lock.is_locked(session, after=after, at=here.clock.utc_now())


async def signed_in(here: OneSite, session: Annotated[Session, Depends(even_locked)]) -> Session:
    """The session of whoever sits there, also of one who must change the password first. Raises `NotSignedIn`, `Locked`."""
    if locked(here, session):
        raise Locked
    return session


def may_locked(action: Action) -> Door:
    """A dependency: the session of somebody who may do `action`, though their screen be locked."""

    async def allowed(here: OneSite, session: Annotated[Session, Depends(even_locked)]) -> Session:
        return _demanded(here, session, action)

    return allowed


def must_add_factor(here: Site, session: Session) -> bool:
    """Whether the person's roles ask for a second factor, and there is none."""
    return _needs_factor(here, session.person) and not (session.code or session.passkey)


def _needs_factor(here: Site, person: Person) -> bool:
    return person.issuer is None and not set(person.roles).isdisjoint(here.settings.web.second_factor_roles)


async def keep_a_factor(conn: Connection, here: Site, person: Person) -> None:
    """Refuse what has just taken away the last factor of somebody who must have one; the transaction is undone."""
    if (
        _needs_factor(here, person)
        and not await second_factor.is_on(conn, person.id)
        and not await passkeys.has_any(conn, person.id)
    ):
        raise Problem("last_factor")


def ready(here: Site, session: Session) -> None:
    """What must be done first, before anything else is open."""
    if session.person.must_change_password:
        raise Problem("password_change_required")
    if must_add_factor(here, session):
        raise Problem("second_factor_required")


def _demanded(here: Site, session: Session, action: Action) -> Session:
    ready(here, session)
    demand(session.person.roles, action)
    return session


def may(action: Action) -> Door:
    """A dependency: the session of somebody who may do `action`."""

    async def allowed(here: OneSite, session: Annotated[Session, Depends(signed_in)]) -> Session:
        return _demanded(here, session, action)

    return allowed


def _id(text: Annotated[str, Path()]) -> UUID:
    try:
        return parse_id(text)
    except UsageError:
        raise Problem("bad_id") from None


def call_id(call_id: Annotated[str, Path(description="The call's id.")]) -> UUID:
    """An id in its one canonical spelling, from the path."""
    return _id(call_id)


def review_id(review_id: Annotated[str, Path(description="The review's id.")]) -> UUID:
    return _id(review_id)


def disclosure_id(disclosure_id: Annotated[str, Path(description="The disclosure's id.")]) -> UUID:
    return _id(disclosure_id)


def hand_over_id(hand_over_id: Annotated[str, Path(description="The hand-over's id.")]) -> UUID:
    return _id(hand_over_id)


def user_id(user_id: Annotated[str, Path(description="The user's id.")]) -> UUID:
    return _id(user_id)


def demo_id(demo_id: Annotated[str, Path(description="The demonstration call's id.")]) -> UUID:
    return _id(demo_id)


SignedIn = Annotated[Session, Depends(signed_in)]
EvenLocked = Annotated[Session, Depends(even_locked)]
CallId = Annotated[UUID, Depends(call_id)]
UserId = Annotated[UUID, Depends(user_id)]
DemoId = Annotated[UUID, Depends(demo_id)]


async def still_there(here: Site, token: str, known: Session | None = None) -> Session | None:
    """The session of an open stream as it is now, with its person's roles of now; None when it has ended, and the stream
    with it. What was `known` holds while the database is away. Keeps no session alive."""
    try:
        async with here.database.transaction() as conn:
            session = await sessions.find(conn, token, at=here.clock.utc_now(), touch=False)
    except AccessDenied:
        return None
    except Unavailable:
        return known
    return None if locked(here, session) else session


async def noted(conn: Connection, here: Site, session: Session, call_id: UUID, action: str) -> None:
    """Write into the access log what somebody has done with a call."""
    await trail.record(
        conn,
        user_id=session.person.id,
        action=action,
        object_kind="call",
        object_id=str(call_id),
        call_id=call_id,
        at=here.clock.utc_now(),
    )
