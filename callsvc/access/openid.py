"""OpenID Connect (OpenID Connect Core 1.0, section 3.1): who somebody is, by the word of the organisation's provider.

    browser ──begin──► provider ──code──► finish ──code, verifier──► provider ──ID token──► checked ──► Identity

Checked of the token: the signature, by an asymmetric algorithm and one of the provider's keys; issuer, audience,
authorised party, nonce, times; the hash of the access token. Of the exchange: PKCE (RFC 7636) by S256, and the issuer
where the answer names one (RFC 9207).
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from callsvc.clock import Clock
from callsvc.config import OpenIdSettings
from callsvc.errors import AccessDenied, Unavailable

TIMEOUT_S: Final = 10.0
WAY_OUT_S: Final = 3.0
KEPT_S: Final = 600.0
LEEWAY_S: Final = 60
# A shared secret signs nothing here, and "none" least of all.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class ProviderAway(Unavailable):
    """The provider of sign-ins does not answer."""

    default_hint = "Try again in a moment. A local account can sign in meanwhile."


class NotTrusted(AccessDenied):
    """What the provider answered cannot be relied on."""

    default_hint = "Sign in again. If it stays so, an administrator should run `callsvc doctor`."


class NotFresh(NotTrusted):
    """The provider did not ask the person anew."""

    default_hint = "Sign in again and give your password to the provider."


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in on its way. Only `url` is for the browser; the rest is kept until it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says that it is. `subject` is the provider's own id, which is never given to another."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]

    def value(self, path: str) -> Any:
        """A claim; dots lead inwards where no claim has the whole name."""
        if path in self.claims:
            return self.claims[path]
        found: Any = self.claims
        for part in path.split("."):
            if not isinstance(found, Mapping):
                return None
            found = found.get(part)
        return found

    def values(self, path: str) -> tuple[str, ...]:
        """The claim as a list of words, whether it is told as one or as several."""
        found = self.value(path)
        if isinstance(found, str):
            return tuple(found.split())
        return tuple(str(one) for one in found) if isinstance(found, list) else ()


class Provider:
    """The one provider that the settings name."""

    def __init__(self, settings: OpenIdSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._known: tuple[float, dict[str, Any]] | None = None
        self._keys: KeySet | None = None
        # The machine's own list of authorities: an organisation has one of its own more often than not.
        self._tls = ssl.create_default_context()

    @property
    def on(self) -> bool:
        return bool(self._settings.issuer)

    async def begin(self, redirect_uri: str, *, anew: bool = False) -> Begun:
        """Where to send the browser. `anew`: the provider is to ask the person, whatever it remembers."""
        about = await self.about()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked: dict[str, Any] = {"nonce": nonce}
        if anew:
            asked |= {"prompt": "login", "max_age": LEEWAY_S}
        elif self._settings.prompt:
            asked["prompt"] = self._settings.prompt
        async with self._client(redirect_uri) as client:
            url, _ = client.create_authorization_url(
                about["authorization_endpoint"], state=state, code_verifier=verifier, **asked
            )
        return Begun(url, state, nonce, verifier)

    async def finish(
        self,
        *,
        code: str,
        nonce: str,
        verifier: str,
        redirect_uri: str,
        issuer: str | None = None,
        anew_since: datetime | None = None,
    ) -> Identity:
        """Exchange the code and check what comes. Raises `ProviderAway`, `NotTrusted`, `NotFresh`."""
        if issuer is not None and issuer != self._settings.issuer:
            raise NotTrusted("Another provider answered.")
        about = await self.about()
        try:
            async with self._client(redirect_uri, about) as client:
                token = await client.fetch_token(about["token_endpoint"], code=code, code_verifier=verifier)
                claims = await self._checked(token, nonce)
                if self._settings.roles_claim.split(".")[0] not in claims and "userinfo_endpoint" in about:
                    claims = await self._told_besides(client, about["userinfo_endpoint"], claims)
        except (httpx2.HTTPError, OSError) as error:
            raise ProviderAway from error
        except (OAuthError, JoseError, ValueError, KeyError, TypeError) as error:
            # A code that was used, a token for somebody else: which it was is no business of the browser's.
            raise NotTrusted from error
        if anew_since is not None:
            asked = claims.get("auth_time")
            earliest = (anew_since - timedelta(seconds=LEEWAY_S)).timestamp()
            if not isinstance(asked, (int, float)) or asked < earliest:
                raise NotFresh
        return Identity(self._settings.issuer, str(claims["sub"]), claims)

    async def way_out(self, home: str) -> str | None:
        """Where a browser signs out at the provider and comes back to `home` (OpenID Connect RP-Initiated Logout 1.0).

        None where the provider announces no such place, or is away: then one is signed out here alone.
        """
        try:
            async with asyncio.timeout(WAY_OUT_S):
                place = (await self.about()).get("end_session_endpoint")
        except (ProviderAway, NotTrusted, TimeoutError):
            return None
        if not isinstance(place, str) or urlsplit(place).scheme not in ("https", "http"):
            return None
        told = urlencode({"client_id": self._settings.client_id, "post_logout_redirect_uri": home})
        return f"{place}{'&' if urlsplit(place).query else '?'}{told}"

    async def about(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0). Raises `ProviderAway`, `NotTrusted`."""
        now = self._clock.monotonic()
        if self._known is not None and now - self._known[0] < KEPT_S:
            return self._known[1]
        issuer = self._settings.issuer
        found = await self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise NotTrusted(
                "The provider names itself otherwise than openid.issuer does.",
                hint="Set openid.issuer to {issuer!r}, if that is the provider.",
                issuer=found.get("issuer"),
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(found.get(name), str):
                raise NotTrusted("The provider does not tell its {name}.", name=name)
        self._known = (now, found)
        return found

    def _client(self, redirect_uri: str, about: Mapping[str, Any] | None = None) -> AsyncOAuth2Client:
        secret = self._settings.client_secret.get_secret_value()
        ways = (about or {}).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        way = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        return AsyncOAuth2Client(
            self._settings.client_id,
            secret or None,
            token_endpoint_auth_method=way if secret else "none",
            scope=" ".join(self._settings.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            verify=self._tls,
        )

    async def _checked(self, token: Mapping[str, Any], nonce: str) -> CodeIDToken:
        about = await self.about()
        offered = about.get("id_token_signing_alg_values_supported", ["RS256"])
        registry = JWSRegistry(
            algorithms=[name for name in ALGORITHMS if name in offered], strict_check_header=False
        )
        try:
            decoded = jwt.decode(token["id_token"], await self._key_set(), registry=registry)
        except InvalidKeyIdError:  # the provider has changed its keys
            self._keys = None
            decoded = jwt.decode(token["id_token"], await self._key_set(), registry=registry)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": self._settings.issuer},
                "aud": {"essential": True, "value": self._settings.client_id},
            },
            {
                "nonce": nonce,
                "client_id": self._settings.client_id,
                "access_token": token.get("access_token"),
            },
        )
        claims.validate(now=int(self._clock.utc_now().timestamp()), leeway=LEEWAY_S)
        if not claims["sub"]:
            raise NotTrusted("The provider names nobody.")
        return claims

    async def _told_besides(
        self, client: AsyncOAuth2Client, url: str, claims: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What the provider tells of the person elsewhere than in the token; of the same person (section 5.3.2)."""
        answer = await client.get(url)
        answer.raise_for_status()
        told = answer.json()
        if told.get("sub") != claims["sub"]:
            raise NotTrusted("The provider tells of somebody else.")
        return {**told, **claims}

    async def _key_set(self) -> KeySet:
        if self._keys is None:
            found = await self._fetch((await self.about())["jwks_uri"])
            self._keys = KeySet.import_key_set(found)  # type: ignore[arg-type]  # it checks what it is given
        return self._keys

    async def _fetch(self, url: str) -> dict[str, Any]:
        try:
            async with httpx2.AsyncClient(timeout=TIMEOUT_S, verify=self._tls) as client:
                answer = await client.get(url, headers={"Accept": "application/json"})
                answer.raise_for_status()
                found = answer.json()
        except (httpx2.HTTPError, ValueError, OSError) as error:
            raise ProviderAway from error
        if not isinstance(found, dict):
            raise NotTrusted
        return found
