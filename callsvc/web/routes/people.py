"""Signing in and out, one's own password, and the accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from callsvc.access import attempts, passkeys, passwords, people, second_factor, sessions, trail
from callsvc.access.people import Person
from callsvc.access.rights import Action, actions
from callsvc.access.sessions import Session, WrongPassword
from callsvc.errors import Conflict, UsageError
from callsvc.store import Connection
from callsvc.web import door
from callsvc.web.door import EvenLocked, OneSite, SignedIn, UserId
from callsvc.web.problems import Problem
from callsvc.web.shapes import (
    Credentials,
    Me,
    NewUser,
    PasswordChange,
    SignedOut,
    User,
    UserChange,
    UserList,
    UserWithPassword,
)
from callsvc.web.site import Site

router = APIRouter(prefix="/api", tags=["people"])
Administrator = Annotated[Session, Depends(door.may(Action.USERS_ADMIN))]


def me(here: Site, session: Session) -> Me:
    person = session.person
    bare = door.must_add_factor(here, session)
    rights = sorted(action for action in actions(person.roles) if person.may(action) and not bare)
    return Me(
        id=person.id,
        name=person.name,
        display_name=person.display_name,
        roles=sorted(person.roles),
        rights=rights,
        must_change_password=person.must_change_password,
        must_add_factor=bare,
        external=person.issuer is not None,
        passkey=session.passkey,
        expires_at=session.expires_at,
        locked=door.locked(here, session),
        lock_after_s=round(here.settings.web.lock_after_min * 60) or None,
    )


def user(person: Person) -> User:
    return User(
        id=person.id,
        name=person.name,
        display_name=person.display_name,
        roles=sorted(person.roles),
        must_change_password=person.must_change_password,
        external=person.issuer is not None,
        created_at=person.created_at,
        last_login_at=person.last_login_at,
        disabled_at=person.disabled_at,
    )


def address(request: Request) -> str:
    """Where a sign-in comes from, for the limit on wrong passwords."""
    return request.client.host if request.client else ""


@router.post("/login")
async def login(request: Request, response: Response, here: OneSite, asked: Credentials) -> Me:
    """Sign in. The session is a cookie that scripts cannot read."""
    if here.provider.on and not here.settings.openid.local_accounts:
        raise Problem("no_passwords_here")
    at = here.clock.utc_now()
    token, session = await sessions.sign_in(
        here.database,
        name=asked.name,
        password=asked.password,
        address=address(request),
        at=at,
        browser=request.headers.get("user-agent", ""),
        code=asked.code,
        cipher=here.second_factors,
    )
    async with here.database.transaction() as conn:
        await note(conn, here, session, "session.open", session.person)
    door.set_cookie(response, here, token)
    return me(here, session)


@router.post("/logout")
async def logout(request: Request, response: Response, here: OneSite, session: EvenLocked) -> SignedOut:
    """Sign out; the cookie is good for nothing from now on, whatever the organisation's provider does."""
    async with here.database.transaction() as conn:
        await sessions.sign_out(conn, session)
    door.clear_cookie(response, here)
    if session.person.issuer is None:
        return SignedOut(next=None)
    home = (here.settings.web.public_url or str(request.base_url)).rstrip("/") + "/"
    return SignedOut(next=await here.provider.way_out(home))


@router.get("/me")
async def who(here: OneSite, session: EvenLocked) -> Me:
    """Who is signed in, what they may do, and whether their screen is locked."""
    return me(here, session)


@router.post("/me/password")
async def change_password(
    request: Request, response: Response, here: OneSite, session: SignedIn, asked: PasswordChange
) -> Me:
    """A new password of one's own; every other session of the person ends."""
    try:
        token, fresh = await sessions.change_password(
            here.database,
            session,
            old=asked.current,
            new=asked.wanted,
            address=address(request),
            at=here.clock.utc_now(),
            browser=request.headers.get("user-agent", ""),
        )
    except WrongPassword:
        raise Problem("wrong_present_password") from None
    door.set_cookie(response, here, token)
    return me(here, fresh)


@router.get("/users")
async def listing(here: OneSite, _session: Administrator) -> UserList:
    """Everybody who has an account."""
    async with here.database.transaction() as conn:
        return UserList(users=[user(person) for person in await people.listing(conn)])


@router.post("/users", status_code=201)
async def create(here: OneSite, session: Administrator, asked: NewUser) -> UserWithPassword:
    """A new account, with a password that works once."""
    password = passwords.one_time()
    async with here.database.transaction() as conn:
        try:
            person = await people.create(
                conn,
                name=asked.name,
                display_name=asked.display_name,
                roles=asked.roles,
                password=password,
                at=here.clock.utc_now(),
            )
        except Conflict:
            raise Problem("name_taken") from None
        except UsageError:
            raise Problem("bad_user") from None
        await note(conn, here, session, "user.create", person, roles=_roles(person))
    return UserWithPassword(user=user(person), one_time_password=password)


@router.patch("/users/{user_id}")
async def change(here: OneSite, session: Administrator, user_id: UserId, asked: UserChange) -> User:
    """Other roles, or an account closed or opened."""
    if asked.disabled and user_id == session.person.id:
        raise Problem("own_account")
    async with here.database.transaction() as conn:
        person = await people.get(conn, user_id)
        if asked.roles is not None and person.issuer is not None:
            raise Problem("external_account")
        try:
            if asked.roles is not None:
                before = _roles(person)
                person = await people.set_roles(conn, user_id, asked.roles)
                await note(conn, here, session, "user.roles", person, before=before, roles=_roles(person))
            if asked.disabled is True:
                person = await people.disable(conn, user_id, at=here.clock.utc_now())
                await note(conn, here, session, "user.disable", person)
            elif asked.disabled is False:
                person = await people.enable(conn, user_id)
                await note(conn, here, session, "user.enable", person)
        except Conflict:
            raise Problem("last_administrator") from None
    return user(person)


@router.post("/users/{user_id}/password", status_code=201)
async def renew_password(here: OneSite, session: Administrator, user_id: UserId) -> UserWithPassword:
    """A new password that works once; the person's sessions end."""
    if user_id == session.person.id:
        raise Problem("own_account")
    password = passwords.one_time()
    async with here.database.transaction() as conn:
        person = await people.get(conn, user_id)
        if person.issuer is not None:
            raise Problem("external_account")
        await people.set_password(conn, user_id, password, must_change_password=True)
        person = await people.get(conn, user_id)
        await attempts.forgive(conn, person.name)
        await note(conn, here, session, "user.password", person)
    return UserWithPassword(user=user(person), one_time_password=password)


@router.post("/users/{user_id}/second-factor/removal", status_code=204)
async def remove_second_factor(here: OneSite, session: Administrator, user_id: UserId) -> None:
    """Take a lost authenticator and all passkeys from an account; its sessions go on."""
    async with here.database.transaction() as conn:
        person = await people.get(conn, user_id)
        if await second_factor.remove(conn, user_id):
            await note(conn, here, session, "user.second_factor_off", person)
        if await passkeys.remove_all(conn, user_id):
            await note(conn, here, session, "user.passkey_off", person)


def _roles(person: Person) -> str:
    return " ".join(sorted(person.roles))


async def note(
    conn: Connection, here: Site, session: Session, action: str, person: Person, **detail: str
) -> None:
    """Put down in the access log what was done with an account."""
    await trail.record(
        conn,
        user_id=session.person.id,
        action=action,
        object_kind="user",
        object_id=str(person.id),
        detail=detail,
        at=here.clock.utc_now(),
    )
