"""What `callsvc doctor` says of the organisation's sign-in."""

from __future__ import annotations

from typing import Any

import pytest

from callsvc.config import OpenIdSettings, load
from callsvc.doctor.finding import Finding, State
from callsvc.doctor.passkeys import passkeys
from callsvc.doctor.sign_in import sign_in
from tests.support.provider import Provider

pytestmark = pytest.mark.screens


def found(**openid: Any) -> Finding | None:
    settings = load().model_copy(update={"openid": OpenIdSettings.model_validate(openid)})
    return next(sign_in(settings), None)


def test_without_a_provider_nothing_is_said() -> None:
    assert found() is None


def test_a_provider_that_answers_is_good_and_an_unknown_scope_is_told(provider: Provider) -> None:
    right = {"issuer": provider.issuer, "client_id": "callsvc", "roles": {"rlc": ["operator"]}}
    good = found(**right)
    assert good is not None
    assert good.state is State.GOOD
    odd = found(**right, scopes=["openid", "no-such"])
    assert odd is not None
    assert (odd.state, odd.outcome) == (State.DEGRADED, "scopes")
    assert "no-such" in odd.says("sv")


@pytest.mark.parametrize(
    ("openid", "outcome", "state"),
    [
        ({"client_id": ""}, "client", State.FAULT),
        ({"roles": {}}, "roles", State.FAULT),
        ({}, "away", State.DEGRADED),
        ({"local_accounts": False}, "away", State.FAULT),
    ],
)
def test_what_keeps_people_out_is_told_with_what_to_do(
    openid: dict[str, Any], outcome: str, state: State
) -> None:
    wrong = {"issuer": "http://127.0.0.1:1", "client_id": "callsvc", "roles": {"rlc": ["operator"]}} | openid
    told = found(**wrong)
    assert told is not None
    assert (told.outcome, told.state) == (outcome, state)
    for lang in ("sv", "en"):
        assert told.to_do(lang)


@pytest.mark.parametrize(
    ("web", "outcome", "state"),
    [
        ({"public_url": "https://samtal.example"}, "good", State.GOOD),
        ({}, "local", State.GOOD),
        ({"public_url": "http://samtal.example"}, "insecure", State.OPTIONAL),
        ({"host": "0.0.0.0"}, "insecure", State.OPTIONAL),
        ({"public_url": "https://10.0.0.5"}, "no_name", State.OPTIONAL),
    ],
)
def test_for_which_address_passkeys_are_good_is_told(web: dict[str, str], outcome: str, state: State) -> None:
    settings = load()
    settings = settings.model_copy(update={"web": settings.web.model_copy(update=web)})
    (told,) = passkeys(settings)
    assert (told.outcome, told.state) == (outcome, state)
    for lang in ("sv", "en"):
        assert "http" in told.says(lang)
        assert bool(told.to_do(lang)) == (state is State.OPTIONAL)


def test_without_local_accounts_nothing_is_said_of_passkeys() -> None:
    only = OpenIdSettings.model_validate({"issuer": "https://idp.example", "local_accounts": False})
    assert list(passkeys(load().model_copy(update={"openid": only}))) == []
