"""The way to the organisation's provider and back (OpenID Connect): both are addresses that the browser itself goes to.

What goes wrong on the way is told on the sign-in page: the browser comes back to its page with `?sign-in=<code>`.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from callsvc import logs
from callsvc.access import lock, sessions, single_sign_on, trail
from callsvc.access.openid import NotFresh, NotTrusted, ProviderAway
from callsvc.access.relying_party import WhyNot, relying_party
from callsvc.access.sessions import NotSignedIn
from callsvc.access.single_sign_on import (
    AccountClosed,
    NameTaken,
    NoRole,
    NotBegunHere,
    Pending,
    SomebodyElse,
)
from callsvc.errors import CallsvcError
from callsvc.web import door
from callsvc.web.door import OneSite
from callsvc.web.problems import Problem
from callsvc.web.routes.people import address
from callsvc.web.shapes import WaysIn
from callsvc.web.site import Site

router = APIRouter(prefix="/api/sign-in", tags=["people"])
COOKIE: Final = "callsvc-sign-in"
RETURN: Final = "/api/sign-in/return"
# What the sign-in page has words for; anything else is `fault`.
CODES: Final[tuple[tuple[type[CallsvcError], str], ...]] = (
    (NotBegunHere, "expired"),
    (ProviderAway, "away"),
    (NotFresh, "not_fresh"),
    (NotTrusted, "not_trusted"),
    (NoRole, "no_role"),
    (NameTaken, "name_taken"),
    (AccountClosed, "closed"),
    (SomebodyElse, "somebody_else"),
    (NotSignedIn, "expired"),
)
Text = Annotated[str, Query(max_length=4096)]

_log = logs.get("web")


@router.get("")
async def ways_in(request: Request, here: OneSite) -> WaysIn:
    """How one can sign in here."""
    settings = here.settings.openid
    party = relying_party(here.settings.web.public_url, str(request.base_url))
    return WaysIn(
        provider=(settings.label or "OpenID Connect") if here.provider.on else None,
        password=settings.local_accounts or not here.provider.on,
        passkeys_at=None if isinstance(party, WhyNot) else party.origin,
        no_passkeys=party if isinstance(party, WhyNot) else None,
    )


@router.get("/begin", response_class=Response, status_code=303)
async def to_provider(request: Request, here: OneSite, back: Text = "/", unlock: bool = False) -> Response:
    """Go to the provider; `back` is the page to come back to. `unlock` opens the locked screen of this session."""
    if not here.provider.on:
        raise Problem("missing")
    back = single_sign_on.safe_back(back)
    try:
        unlocks = (await door.even_locked(request, here)).id if unlock else None
        begun = await here.provider.begin(_return_address(request, here), anew=unlock)
        browser = door.browser_of(request, COOKIE)
        async with here.database.transaction() as conn:
            await single_sign_on.keep(
                conn, begun, browser=browser, back=back, at=here.clock.utc_now(), unlocks=unlocks
            )
    except CallsvcError as error:
        return _told(back, error)
    answer = RedirectResponse(begun.url, 303)
    # The provider sends the browser back: that is another site.
    door.know_again(answer, here, COOKIE, browser, good_for=single_sign_on.GOOD_FOR, samesite="lax")
    return answer


@router.get("/return", response_class=Response, status_code=303)
async def from_provider(
    request: Request,
    here: OneSite,
    state: Text = "",
    code: Text = "",
    iss: Text | None = None,
    error: Text = "",
) -> Response:
    """The provider sends the browser here; a session opens, and the browser goes on to its page."""
    back = "/"
    at = here.clock.utc_now()
    try:
        async with here.database.transaction() as conn:
            pending = await single_sign_on.take(
                conn, state=state, browser=request.cookies.get(COOKIE, ""), at=at
            )
        back = pending.back
        if error:
            return _elsewhere(back, "declined" if error == "access_denied" else "not_trusted")
        return await _let_in(request, here, pending, code, iss)
    except CallsvcError as fault:
        return _told(back, fault)


async def _let_in(request: Request, here: Site, pending: Pending, code: str, iss: str | None) -> Response:
    at = here.clock.utc_now()
    identity = await here.provider.finish(
        code=code,
        nonce=pending.nonce,
        verifier=pending.verifier,
        redirect_uri=_return_address(request, here),
        issuer=iss,
        anew_since=pending.begun_at if pending.unlocks else None,
    )
    if pending.unlocks:
        async with here.database.transaction() as conn:
            await single_sign_on.demand_same(conn, identity, pending.unlocks)
            await lock.vouched_for(conn, pending.unlocks, at=at)
        return RedirectResponse(pending.back, 303)
    async with here.database.transaction() as conn:
        person = await single_sign_on.account(conn, identity, here.settings.openid, at=at)
        token, session = await sessions.open_for(
            conn, person, at=at, address=address(request), browser=request.headers.get("user-agent", "")
        )
        await trail.record(
            conn,
            user_id=person.id,
            action="session.open",
            object_kind="user",
            object_id=str(session.person.id),
            detail={"by": "openid"},
            at=at,
        )
    answer = RedirectResponse(pending.back, 303)
    door.set_cookie(answer, here, token)
    return answer


def _return_address(request: Request, here: Site) -> str:
    """Our own address, as the browser knows it; the guard has seen to it that it is a name of ours."""
    return (here.settings.web.public_url or str(request.base_url)).rstrip("/") + RETURN


def _told(back: str, error: CallsvcError) -> Response:
    code = next((code for kind, code in CODES if isinstance(error, kind)), "fault")
    _log.warning("single_sign_on_failed", code=code, error=type(error.__cause__ or error).__name__)
    return _elsewhere(back, code)


def _elsewhere(back: str, code: str) -> Response:
    path, _, place = back.partition("#")
    return RedirectResponse(f"{path}?sign-in={code}" + (f"#{place}" if place else ""), 303)
