"""What is asked of a provider's word before anybody is let in by it."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from callsvc.access.openid import Identity, NotFresh, NotTrusted, Provider, ProviderAway
from callsvc.access.single_sign_on import NoRole, roles_of, safe_back
from callsvc.clock import FixedClock
from callsvc.config import OpenIdSettings
from callsvc.types import Role

pytestmark = pytest.mark.screens

RETURN = "http://127.0.0.1/api/sign-in/return"
KEY = RSAKey.generate_key(2048, {"kid": "one"})
ANOTHER = RSAKey.generate_key(2048, {"kid": "one"})


class Liar:
    """A provider that says what a test wants; it answers at an address of its own and signs with its key."""

    def __init__(self) -> None:
        liar = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(liar.pages[self.path])

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                liar.asked = {name: found[0] for name, found in parse_qs(body.decode()).items()}
                self._answer(liar.token)

            def _answer(self, told: object) -> None:
                body = json.dumps(told).encode()
                self.send_response(200 if told else 400)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingTCPServer(
            ("127.0.0.1", 0), Answers
        )  # HTTPServer would ask for the name of the host
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.asked: dict[str, str] = {}
        self.token: dict[str, Any] = {}
        self.pages: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            },
            "/keys": {"keys": [KEY.as_dict(private=False)]},
            "/userinfo": {"sub": "1", "groups": ["rlc"]},
        }
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def liar() -> Iterator[Liar]:
    made = Liar()
    yield made
    made.close()


def settings(liar: Liar) -> OpenIdSettings:
    return OpenIdSettings.model_validate(
        {
            "issuer": liar.issuer,
            "client_id": "us",
            "client_secret": "s",
            "roles": {"rlc": ["operator"], "chef": ["qa", "admin"]},
        }
    )


async def sign_in(
    liar: Liar,
    *,
    key: RSAKey | OctKey = KEY,
    header: dict[str, Any] | None = None,
    issuer: str | None = None,
    anew: bool = False,
    provider: Provider | None = None,
    **changed: Any,
) -> Identity:
    """A whole sign-in, in which the token says what is right but for `changed`; None takes a claim out."""
    clock = FixedClock(datetime.now(UTC))
    provider = provider or Provider(settings(liar), clock)
    begun = await provider.begin(RETURN, anew=anew)
    now = int(clock.utc_now().timestamp())
    right = {
        "iss": liar.issuer,
        "aud": "us",
        "sub": "1",
        "nonce": begun.nonce,
        "iat": now,
        "exp": now + 300,
        "auth_time": now,
        "groups": ["rlc"],
    }
    claims = {name: value for name, value in (right | changed).items() if value is not None}
    with warnings.catch_warnings(action="ignore"):  # the library does not like how some of these are signed
        signed = jwt.encode(
            header or {"alg": "RS256", "kid": "one"}, claims, key, algorithms=["RS256", "HS256", "none"]
        )
    liar.token = {"access_token": "a", "token_type": "Bearer", "id_token": signed}
    return await provider.finish(
        code="c",
        nonce=begun.nonce,
        verifier=begun.verifier,
        redirect_uri=RETURN,
        issuer=issuer,
        anew_since=clock.utc_now() if anew else None,
    )


async def test_a_right_word_tells_who_it_is(liar: Liar) -> None:
    found = await sign_in(liar, issuer=liar.issuer)
    assert (found.issuer, found.subject, found.values("groups")) == (liar.issuer, "1", ("rlc",))


async def test_the_code_is_exchanged_with_the_proof_that_was_promised(liar: Liar) -> None:
    provider = Provider(settings(liar), FixedClock())
    begun = await provider.begin(RETURN)
    sent = {name: found[0] for name, found in parse_qs(urlsplit(begun.url).query).items()}
    digest = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
    assert (sent["code_challenge"], sent["code_challenge_method"]) == (digest, "S256")
    assert (sent["state"], sent["nonce"], sent["redirect_uri"]) == (begun.state, begun.nonce, RETURN)
    assert begun.verifier not in begun.url
    with pytest.raises(NotTrusted):
        await provider.finish(code="c", nonce=begun.nonce, verifier=begun.verifier, redirect_uri=RETURN)
    assert (liar.asked["code"], liar.asked["code_verifier"]) == ("c", begun.verifier)


NOW = int(datetime.now(UTC).timestamp())


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "somebody else"},
        {"aud": ["us", "somebody else"]},  # for several, and not said to whom it was given
        {"aud": ["us", "somebody else"], "azp": "somebody else"},
        {"aud": None},
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"exp": NOW - 3600},
        {"exp": None},
        {"iat": NOW + 3600},
        {"sub": None},
        {"sub": ""},
        {"at_hash": "of another token"},
        {"key": ANOTHER},
        {"key": OctKey.import_key("a secret that all know, long enough for it"), "header": {"alg": "HS256"}},
        {"key": OctKey.import_key("x" * 32), "header": {"alg": "none"}},
        {"issuer": "http://127.0.0.1:1"},
    ],
    ids=str,
)
async def test_a_word_that_is_wrong_in_one_thing_lets_nobody_in(liar: Liar, changed: dict[str, Any]) -> None:
    with pytest.raises(NotTrusted):
        await sign_in(liar, **changed)


async def test_keys_that_the_provider_has_changed_are_fetched_again(liar: Liar) -> None:
    fresh = RSAKey.generate_key(2048, {"kid": "two"})
    provider = Provider(settings(liar), FixedClock(datetime.now(UTC)))
    await sign_in(liar, provider=provider)
    liar.pages["/keys"] = {"keys": [fresh.as_dict(private=False)]}
    found = await sign_in(liar, provider=provider, key=fresh, header={"alg": "RS256", "kid": "two"})
    assert found.subject == "1"


async def test_roles_that_the_token_lacks_are_asked_for_of_the_same_person(liar: Liar) -> None:
    assert (await sign_in(liar, groups=None)).values("groups") == ("rlc",)
    liar.pages["/userinfo"] = {"sub": "2", "groups": ["chef"]}
    with pytest.raises(NotTrusted):
        await sign_in(liar, groups=None)


async def test_a_provider_that_names_itself_otherwise_is_not_the_one(liar: Liar) -> None:
    liar.pages["/.well-known/openid-configuration"]["issuer"] = "http://127.0.0.1:1"
    with pytest.raises(NotTrusted):
        await sign_in(liar)


async def test_a_provider_that_is_away_is_said_to_be(liar: Liar) -> None:
    gone = settings(liar).model_copy(update={"issuer": "http://127.0.0.1:1"})
    with pytest.raises(ProviderAway):
        await Provider(gone, FixedClock()).begin(RETURN)


async def test_to_unlock_the_provider_must_have_asked_just_now(liar: Liar) -> None:
    assert (await sign_in(liar, anew=True)).subject == "1"
    long_ago = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    for asked in (long_ago, None):
        with pytest.raises(NotFresh):
            await sign_in(liar, anew=True, auth_time=asked)


def test_roles_follow_from_the_mapping_and_from_nothing_else() -> None:
    mapping = OpenIdSettings.model_validate(
        {"roles_claim": "realm_access.roles", "roles": {"rlc": ["operator"], "chef": ["qa", "admin"]}}
    )

    def roles(*told: str) -> frozenset[Role]:
        return roles_of(Identity("i", "1", {"realm_access": {"roles": list(told)}}), mapping)

    assert roles("rlc", "admin") == {Role.OPERATOR}
    assert roles("chef", "rlc") == {Role.QA, Role.ADMIN, Role.OPERATOR}
    for told in ((), ("admin",), ("RLC",)):
        with pytest.raises(NoRole):
            roles(*told)


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "/a/../b", ""]
)
def test_one_comes_back_to_a_page_of_ours_alone(wanted: str) -> None:
    assert safe_back(wanted) == "/"
    assert safe_back("/samtal/0190-a#t=4.0") == "/samtal/0190-a#t=4.0"


@pytest.mark.parametrize(
    "issuer", ["http://idp.example", "ftp://idp.example", "https://", "http://localhost.evil.example"]
)
def test_a_provider_across_the_net_must_have_tls(issuer: str) -> None:
    with pytest.raises(ValueError, match="https"):
        OpenIdSettings(issuer=issuer)
