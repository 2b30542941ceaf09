"""Passkeys: one's own, and coming in by one.

Each takes two questions: ours to the device, with a challenge that is good once, and then what the device has made of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from callsvc.access import by_passkey, passkey_questions, passkeys
from callsvc.access.passkey_questions import Purpose
from callsvc.access.passkeys import Answer, Made, Passkey
from callsvc.access.relying_party import RelyingParty, WhyNot, relying_party
from callsvc.errors import UsageError
from callsvc.store import Connection
from callsvc.web import door
from callsvc.web.door import EvenLocked, OneSite, SignedIn
from callsvc.web.problems import Problem
from callsvc.web.routes.own_account import prove
from callsvc.web.routes.people import address, me, note
from callsvc.web.shapes import Me, OwnPassword
from callsvc.web.shapes_passkeys import (
    KnownPasskey,
    NewPasskey,
    NewPasskeyQuestion,
    PasskeyAnswer,
    PasskeyList,
    PasskeyOut,
    PasskeyQuestion,
)
from callsvc.web.site import Site

router = APIRouter(prefix="/api", tags=["passkeys"])
COOKIE: Final = "callsvc-passkey"
TIMEOUT_MS: Final = 120_000  # for the person to find the device; less than the question is good for


def party_of(request: Request, here: Site) -> RelyingParty | WhyNot:
    """For which address passkeys are good here."""
    return relying_party(here.settings.web.public_url, str(request.base_url))


@router.get("/me/passkeys")
async def own(here: OneSite, session: SignedIn) -> PasskeyList:
    """One's own passkeys."""
    async with here.database.transaction() as conn:
        found = await passkeys.of_person(conn, session.person.id)
    return PasskeyList(passkeys=[_out(one) for one in found])


@router.post("/me/passkeys/question")
async def ask_to_make(
    request: Request, here: OneSite, session: SignedIn, asked: OwnPassword
) -> NewPasskeyQuestion:
    """Begin a new passkey; the password is asked for once more, for this is a new way in."""
    if session.person.issuer is not None:
        raise Problem("external_account")
    party = _party(request, here)
    await prove(request, here, session, asked)
    async with here.database.transaction() as conn:
        challenge = await _put(conn, request, here, Purpose.MAKE, str(session.id))
        known = await passkeys.of_person(conn, session.person.id)
    return NewPasskeyQuestion(
        challenge=challenge,
        rp_id=party.id,
        timeout_ms=TIMEOUT_MS,
        user_id=bytes_to_base64url(session.person.id.bytes),
        user_name=session.person.name,
        display_name=session.person.display_name,
        algorithms=[int(one) for one in passkeys.ALGORITHMS],
        known=[_known(one) for one in known],
    )


@router.post("/me/passkeys", status_code=201)
async def make(request: Request, here: OneSite, session: SignedIn, asked: NewPasskey) -> PasskeyOut:
    """A new passkey: from now on it opens the door, and the password alone does not."""
    party = _party(request, here)
    made = Made(
        _bytes(asked.id), _bytes(asked.client_data), _bytes(asked.attestation), tuple(asked.transports)
    )
    at = here.clock.utc_now()
    challenge = passkeys.challenge_of(made)
    async with here.database.transaction() as conn:
        await passkey_questions.take(conn, challenge, Purpose.MAKE, holder=str(session.id), at=at)
    async with here.database.transaction() as conn:
        added = await passkeys.add(
            conn, party, session.person.id, made, challenge=challenge, label=asked.label, at=at
        )
        await note(conn, here, session, "user.passkey_on", session.person)
    return _out(added)


@router.post("/me/passkeys/{passkey_id}/removal", status_code=204)
async def remove(
    request: Request,
    here: OneSite,
    session: SignedIn,
    passkey_id: Annotated[UUID, Path()],
    asked: OwnPassword,
) -> None:
    """Do without this passkey from now on; the password is asked for once more."""
    await prove(request, here, session, asked)
    async with here.database.transaction() as conn:
        await passkeys.remove(conn, session.person.id, passkey_id)
        await door.keep_a_factor(conn, here, session.person)
        await note(conn, here, session, "user.passkey_off", session.person)


@router.post("/sign-in/passkey/question")
async def ask_to_enter(request: Request, response: Response, here: OneSite) -> PasskeyQuestion:
    """Begin to sign in by a passkey. The answer is taken from this browser alone."""
    party = _party(request, here)
    browser = door.browser_of(request, COOKIE)
    async with here.database.transaction() as conn:
        challenge = await _put(conn, request, here, Purpose.ENTER, browser)
    door.know_again(response, here, COOKIE, browser, good_for=passkey_questions.GOOD_FOR, samesite="strict")
    return PasskeyQuestion(challenge=challenge, rp_id=party.id, timeout_ms=TIMEOUT_MS, allowed=[])


@router.post("/sign-in/passkey")
async def enter(request: Request, response: Response, here: OneSite, asked: PasskeyAnswer) -> Me:
    """Sign in by a passkey, without a password."""
    token, session = await by_passkey.sign_in(
        here.database,
        _answer(asked),
        party=_party(request, here),
        holder=request.cookies.get(COOKIE, ""),
        address=address(request),
        at=here.clock.utc_now(),
        browser=request.headers.get("user-agent", ""),
    )
    async with here.database.transaction() as conn:
        await note(conn, here, session, "session.open", session.person, by="passkey")
    door.set_cookie(response, here, token)
    return me(here, session)


@router.post("/me/unlock/passkey/question")
async def ask_to_unlock(request: Request, here: OneSite, session: EvenLocked) -> PasskeyQuestion:
    """Begin to unlock by a passkey of the person whose screen it is."""
    party = _party(request, here)
    async with here.database.transaction() as conn:
        known = await passkeys.of_person(conn, session.person.id)
        challenge = await _put(conn, request, here, Purpose.UNLOCK, str(session.id))
    return PasskeyQuestion(
        challenge=challenge,
        rp_id=party.id,
        timeout_ms=TIMEOUT_MS,
        allowed=[_known(one) for one in known],
    )


@router.post("/me/unlock/passkey")
async def unlock(request: Request, here: OneSite, session: EvenLocked, asked: PasskeyAnswer) -> Me:
    """Unlock by a passkey."""
    at = here.clock.utc_now()
    await by_passkey.unlock(
        here.database, session, _answer(asked), party=_party(request, here), address=address(request), at=at
    )
    return me(here, replace(session, locked_at=None, active_at=at))


def _party(request: Request, here: Site) -> RelyingParty:
    if here.provider.on and not here.settings.openid.local_accounts:
        raise Problem("no_passwords_here")
    party = party_of(request, here)
    if isinstance(party, WhyNot):
        raise Problem("passkeys_unavailable")
    return party


async def _put(conn: Connection, request: Request, here: Site, purpose: Purpose, holder: str) -> str:
    at = here.clock.utc_now()
    return bytes_to_base64url(
        await passkey_questions.put(conn, purpose, holder=holder, address=address(request), at=at)
    )


def _answer(asked: PasskeyAnswer) -> Answer:
    return Answer(
        credential_id=_bytes(asked.id),
        client_data=_bytes(asked.client_data),
        authenticator_data=_bytes(asked.authenticator_data),
        signature=_bytes(asked.signature),
        user_handle=None if asked.user_handle is None else _bytes(asked.user_handle),
    )


def _bytes(text: str) -> bytes:
    try:
        return base64url_to_bytes(text)
    except ValueError:
        raise UsageError("This is not base64url.") from None


def _known(one: Passkey) -> KnownPasskey:
    return KnownPasskey(id=bytes_to_base64url(one.credential_id), transports=one.transports)


def _out(one: Passkey) -> PasskeyOut:
    return PasskeyOut(id=one.id, label=one.label, made_at=one.made_at, used_at=one.used_at)
