from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from callsvc.clock import FixedClock
from callsvc.errors import MissingPart
from callsvc.telephony import token_keys, tokens
from callsvc.telephony.errors import TokenRefused
from callsvc.telephony.tokens import UsedTokens
from callsvc.types import Leg, Profile

pytestmark = pytest.mark.call

KEY = Ed25519PrivateKey.generate()
CALL = "3f0c9c1e-52d8-4d0e-9f5e-6f3d8a7b1c20"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


def token(clock: FixedClock, *, demonstration: bool = False) -> str:
    return tokens.issue(
        KEY,
        clock.utc_now(),
        call=CALL,
        leg=Leg.OPERATOR,
        profile=Profile.REPORT,
        subject="someone",
        demonstration=demonstration,
    )


def verify(text: str, clock: FixedClock, *, call: str = CALL, leg: Leg = Leg.OPERATOR) -> tokens.Claims:
    return tokens.verify(KEY.public_key(), clock.utc_now(), text, call=call, leg=leg)


def test_a_token_says_which_leg_of_which_call_on_which_line(clock: FixedClock) -> None:
    claims = verify(token(clock), clock)

    assert (claims.call, claims.leg, claims.profile, claims.subject) == (
        CALL,
        Leg.OPERATOR,
        Profile.REPORT,
        "someone",
    )
    assert not claims.demonstration
    assert verify(token(clock, demonstration=True), clock).demonstration


def test_a_token_is_good_for_two_minutes(clock: FixedClock) -> None:
    text = token(clock)
    clock.advance(119)
    verify(text, clock)
    clock.advance(7)

    with pytest.raises(TokenRefused, match="expired"):
        verify(text, clock)


def test_a_token_for_another_call_or_leg_is_refused(clock: FixedClock) -> None:
    with pytest.raises(TokenRefused, match="another call or leg"):
        verify(token(clock), clock, leg=Leg.CALLER)
    with pytest.raises(TokenRefused, match="another call or leg"):
        verify(token(clock), clock, call="another")


def test_a_token_signed_by_somebody_else_is_refused(clock: FixedClock) -> None:
    stranger = Ed25519PrivateKey.generate().public_key()

    with pytest.raises(TokenRefused):
        tokens.verify(stranger, clock.utc_now(), token(clock), call=CALL, leg=Leg.OPERATOR)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"exp": 99999999999}, id="valid for ever"),
        pytest.param({"exp": 10**30}, id="valid beyond all time"),
        pytest.param({"exp": "soon"}, id="an end that is no number"),
        pytest.param({"iat": 99999999999, "exp": 99999999999}, id="from the future"),
        pytest.param({"profile": "chatline"}, id="a line that is not there"),
        pytest.param({"aud": "elsewhere"}, id="for another audience"),
        pytest.param({"iss": "elsewhere"}, id="by another issuer"),
        pytest.param({"jti": 5}, id="an id that is no text"),
    ],
)
def test_a_token_with_an_odd_claim_is_refused_even_with_the_right_signature(
    clock: FixedClock, change: dict[str, object]
) -> None:
    claims = jwt.decode(token(clock), options={"verify_signature": False})
    odd = jwt.encode(claims | change, KEY, algorithm="EdDSA")

    with pytest.raises(TokenRefused):
        verify(odd, clock)


def test_a_token_without_a_signature_is_refused(clock: FixedClock) -> None:
    claims = jwt.decode(token(clock), options={"verify_signature": False})

    with pytest.raises(TokenRefused):
        verify(jwt.encode(claims, "", algorithm="none"), clock)


@given(st.text(max_size=3000))
def test_any_text_is_refused_as_a_token(text: str) -> None:
    with pytest.raises(TokenRefused):
        verify(text, FixedClock())


def test_a_token_joins_once(clock: FixedClock) -> None:
    used = UsedTokens()
    claims = verify(token(clock), clock)
    used.check(claims)
    used.use(claims, clock.utc_now())

    with pytest.raises(TokenRefused, match="used before"):
        used.use(claims, clock.utc_now())
    used.use(verify(token(clock), clock), clock.utc_now())


def test_what_was_used_is_remembered_for_as_long_as_it_could_be_tried_again(clock: FixedClock) -> None:
    used = UsedTokens()
    claims = verify(token(clock), clock)
    used.use(claims, clock.utc_now())
    clock.advance((tokens.LIFETIME + tokens.LEEWAY).total_seconds())
    used.use(verify(token(clock), clock), clock.utc_now())

    with pytest.raises(TokenRefused):
        used.check(claims)


def test_the_pair_of_keys_is_made_once_and_the_private_half_is_the_owners(tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="missing"):
        token_keys.public_key(tmp_path)
    first = token_keys.private_key(tmp_path)

    assert token_keys.private_key(tmp_path).private_bytes_raw() == first.private_bytes_raw()
    assert token_keys.public_key(tmp_path) == first.public_key()
    assert (tmp_path / token_keys.PRIVATE).stat().st_mode & 0o077 == 0
    assert timedelta(seconds=120) >= tokens.LIFETIME


def test_a_file_that_holds_another_kind_of_key_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / token_keys.PUBLIC).write_text("no key")

    with pytest.raises(MissingPart):
        token_keys.public_key(tmp_path)
    (tmp_path / token_keys.PRIVATE).write_text("no key")
    with pytest.raises(MissingPart, match="no key that can be read"):
        token_keys.private_key(tmp_path)
