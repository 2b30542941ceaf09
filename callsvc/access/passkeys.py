"""Passkeys of local accounts (WebAuthn): key pairs whose private half never leaves the person's own device.

The device wants a finger, a face or a PIN before it answers. So a passkey is two factors by itself: it opens the door without a
password, and where there is one a password alone opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import bytes_to_base64url, parse_client_data_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from callsvc.access.people import COLUMNS, Person, person
from callsvc.access.relying_party import RelyingParty
from callsvc.errors import AccessDenied, Conflict, NotFound, UsageError
from callsvc.ids import new_id
from callsvc.store import Connection

MOST: Final = 10
MAX_LABEL: Final = 60
# What every authenticator of today can do, the one that is asked for first in front.
ALGORITHMS: Final = (
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)


class NotAccepted(AccessDenied):
    """What came is no right answer of a passkey that is known here."""

    default_hint = "Try again, or come in by your password."


class OtherOrigin(NotAccepted):
    """The answer was given to a page at another address than the service's own."""

    default_hint = "Open the service at the address that is in its settings."


class Copied(NotAccepted):
    """The passkey's counter did not go on: somewhere there is a second one of it."""

    default_hint = "Remove this passkey, and tell an administrator."

    def __init__(self, owner: UUID) -> None:
        super().__init__()
        self.owner = owner


@dataclass(frozen=True, slots=True)
class Passkey:
    """One of a person's passkeys, without its key."""

    id: UUID
    credential_id: bytes
    label: str
    """What its owner calls it."""
    transports: list[str]
    made_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """What a browser hands over of a new passkey."""

    credential_id: bytes
    client_data: bytes
    attestation: bytes
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser hands over when a passkey has answered."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None


def challenge_of(given: Made | Answer) -> bytes:
    """The challenge that was answered, or so it says. Raises `NotAccepted`."""
    try:
        return parse_client_data_json(given.client_data).challenge
    except Exception as error:  # a stranger has written it: whatever the library stumbles over is no answer
        raise NotAccepted from error


async def of_person(conn: Connection, owner: UUID) -> list[Passkey]:
    """The oldest first."""
    async with conn.cursor(row_factory=class_row(Passkey)) as cursor:
        await cursor.execute(
            "select id, credential_id, label, transports, made_at, used_at from passkeys where user_id = %s"
            " order by made_at, id",
            [owner],
        )
        return await cursor.fetchall()


async def has_any(conn: Connection, owner: UUID) -> bool:
    cursor = await conn.execute("select 1 from passkeys where user_id = %s limit 1", [owner])
    return await cursor.fetchone() is not None


async def owner_name(conn: Connection, credential_id: bytes) -> str | None:
    """The user name of whose passkey it is."""
    cursor = await conn.execute(
        "select name from passkeys k join users on users.id = k.user_id where credential_id = %s",
        [credential_id],
    )
    row = await cursor.fetchone()
    return None if row is None else str(row["name"])


async def add(
    conn: Connection,
    party: RelyingParty,
    owner: UUID,
    made: Made,
    *,
    challenge: bytes,
    label: str,
    at: datetime,
) -> Passkey:
    """From now on it opens the door. Raises `NotAccepted`, `UsageError`, `Conflict` for one that is known or one too many."""
    label = " ".join(label.split())
    if not 1 <= len(label) <= MAX_LABEL or not label.isprintable():
        raise UsageError("A passkey's name has 1 to {most} characters.", most=MAX_LABEL)
    verified = _verified_made(party, made, challenge)
    await conn.execute("select 1 from users where id = %s for update", [owner])
    if len(await of_person(conn, owner)) >= MOST:
        raise Conflict("There are {most} passkeys already.", hint="Remove one that is not used.", most=MOST)
    found = Passkey(new_id(), verified.credential_id, label, list(made.transports), at, None)
    try:
        async with conn.transaction():
            await conn.execute(
                "insert into passkeys (id, credential_id, user_id, public_key, sign_count, label, transports, made_at)"
                " values (%s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    found.id,
                    found.credential_id,
                    owner,
                    verified.credential_public_key,
                    verified.sign_count,
                    found.label,
                    found.transports,
                    at,
                ],
            )
    except UniqueViolation:
        raise Conflict("This passkey is known already.") from None
    return found


async def use(
    conn: Connection, party: RelyingParty, answer: Answer, *, challenge: bytes, at: datetime
) -> Person:
    """Whose passkey has answered. Raises `NotAccepted` (for an unknown one, too), and of its kinds `OtherOrigin`, `Copied`."""
    cursor = await conn.execute(
        f"select k.id as passkey, public_key, sign_count, {COLUMNS} from passkeys k join users on users.id = k.user_id"
        " where credential_id = %s and disabled_at is null and issuer is null for update of k",
        [answer.credential_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotAccepted
    verified = _verified_answer(party, answer, challenge, bytes(row["public_key"]))
    if answer.user_handle not in (None, row["id"].bytes):
        raise NotAccepted
    # Synchronised passkeys do not count, and say 0 for ever; whoever counts must have gone on.
    before, now = row["sign_count"], verified.new_sign_count
    if (before or now) and now <= before:
        raise Copied(row["id"])
    await conn.execute(
        "update passkeys set sign_count = %s, used_at = %s where id = %s", [now, at, row["passkey"]]
    )
    return person(row)


async def remove(conn: Connection, owner: UUID, passkey: UUID) -> None:
    """Raises `NotFound`, also for another's."""
    cursor = await conn.execute("delete from passkeys where id = %s and user_id = %s", [passkey, owner])
    if cursor.rowcount == 0:
        raise NotFound("There is no such passkey.")


async def remove_all(conn: Connection, owner: UUID) -> int:
    """How many there were."""
    cursor = await conn.execute("delete from passkeys where user_id = %s", [owner])
    return cursor.rowcount


def _verified_made(party: RelyingParty, made: Made, challenge: bytes) -> VerifiedRegistration:
    credential = RegistrationCredential(
        id=bytes_to_base64url(made.credential_id),
        raw_id=made.credential_id,
        response=AuthenticatorAttestationResponse(made.client_data, made.attestation),
    )
    expected = _expected(party, made, challenge)
    try:
        return verify_registration_response(
            credential=credential, supported_pub_key_algs=list(ALGORITHMS), **expected
        )
    except Exception as error:  # as above
        raise NotAccepted from error


def _verified_answer(
    party: RelyingParty, answer: Answer, challenge: bytes, public_key: bytes
) -> VerifiedAuthentication:
    credential = AuthenticationCredential(
        id=bytes_to_base64url(answer.credential_id),
        raw_id=answer.credential_id,
        response=AuthenticatorAssertionResponse(
            answer.client_data, answer.authenticator_data, answer.signature, answer.user_handle
        ),
    )
    expected = _expected(party, answer, challenge)
    try:
        return verify_authentication_response(
            credential=credential,
            credential_public_key=public_key,
            # The library would look at the counter before the signature; ours looks at one that is known to be true.
            credential_current_sign_count=0,
            **expected,
        )
    except Exception as error:  # as above
        raise NotAccepted from error


def _expected(party: RelyingParty, given: Made | Answer, challenge: bytes) -> dict[str, Any]:
    if parse_client_data_json(given.client_data).origin != party.origin:
        raise OtherOrigin
    return {
        "expected_challenge": challenge,
        "expected_rp_id": party.id,
        "expected_origin": party.origin,
        "require_user_verification": True,
    }
