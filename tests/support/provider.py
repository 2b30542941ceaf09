"""A real OpenID Connect provider (Canaille), in a process of its own, that is told who sits before it.

provider          a Provider(issuer, ...) for the session: `person`, `sits`, `client`
sso               a site whose people it vouches for
python -m tests.support.provider    the process: a line of JSON in, a line out
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callsvc.clock import SystemClock
from callsvc.config import OpenIdSettings
from callsvc.web.routes.single_sign_on import RETURN
from tests.support.web import Served, settings_for

CLIENT, SECRET = "callsvc", "a secret that both know"


class Provider:
    """The process, and what is said to it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.support.provider"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.issuer = str(self._heard()["issuer"])

    def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the provider has ended"
        told: dict[str, Any] = json.loads(line)
        return told

    def _say(self, **words: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return self._heard()

    def client(self, redirect_uri: str) -> None:
        """The service, as the provider knows it."""
        self._say(do="client", redirect_uri=redirect_uri)

    def person(self, name: str, shown: str, *groups: str) -> None:
        self._say(do="person", name=name, shown=shown, groups=groups)

    def sits(self, name: str | None) -> None:
        """Who is signed in at the provider, in whichever browser asks."""
        self._say(do="sits", name=name)

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    started = Provider()
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def sso(conninfo: str, tmp_path: Path, quick_passwords: None, provider: Provider) -> Iterator[Served]:
    """A site whose people the provider vouches for: group rlc is operators, chef reviewers and administrators."""
    openid = OpenIdSettings.model_validate(
        {
            "issuer": provider.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "label": "Polisens konto",
            "scopes": ["openid", "profile", "groups"],
            "roles": {"rlc": ["operator"], "chef": ["qa", "admin"]},
        }
    )
    settings = settings_for(tmp_path / "data").model_copy(update={"openid": openid})
    served = Served(settings, conninfo, SystemClock())
    provider.client(served.url + RETURN)
    yield served
    served.close()


class _House:
    """Canaille behind a socket; the one that is told."""

    def __init__(self) -> None:
        import os
        import socketserver
        import wsgiref.simple_server

        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
        from canaille import create_app
        from canaille.app import models
        from canaille.backends import Backend
        from joserfc.jwk import RSAKey

        class Quiet(wsgiref.simple_server.WSGIRequestHandler):
            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                return

        class Here(wsgiref.simple_server.WSGIServer):
            def server_bind(self) -> None:
                # Without asking what the host is called, which may take seconds.
                socketserver.TCPServer.server_bind(self)
                self.server_name, self.server_port = "localhost", self.server_address[1]
                self.setup_environ()

        self.server = Here(("127.0.0.1", 0), Quiet)
        self.port = self.server.server_port
        key = RSAKey.generate_key(2048)
        key.ensure_kid()
        self.app = create_app(
            config={
                "TESTING": True,
                "ENV_FILE": None,
                "SECRET_KEY": "of this provider",
                "WTF_CSRF_ENABLED": False,
                "PREFERRED_URL_SCHEME": "http",
                "SERVER_NAME": f"localhost:{self.port}",
                "CANAILLE": {
                    "DATABASE": "memory",
                    "JAVASCRIPT": False,
                    "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
                },
                "CANAILLE_OIDC": {
                    "ACTIVE_JWKS": [key.as_dict(private=True)],
                    "USERINFO_MAPPING": {
                        "SUB": "{{ user.id }}",
                        "NAME": "{{ user.formatted_name }}",
                        "PREFERRED_USERNAME": "{{ user.user_name }}",
                    },
                },
            }
        )
        self.server.set_app(self.app)
        self.models, self.backend = models, Backend.instance
        self.people: dict[str, Any] = {}
        self.sitting: Any = None
        self.app.before_request(self._sits)

    def _sits(self) -> None:
        import datetime

        from canaille.app.session import UserSession
        from flask import g

        if self.sitting is not None:
            # Just asked, whoever it is: a moment ahead, for what must be no older than the question itself.
            asked = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)
            g.session = UserSession(user=self.sitting, last_login_datetime=asked)

    def client(self, redirect_uri: str) -> None:
        for old in self.backend.query(self.models.Client):
            self.backend.delete(old)
        self.backend.save(
            self.models.Client(
                client_id=CLIENT,
                client_secret=SECRET,
                client_name="callsvc",
                client_uri="http://127.0.0.1",
                redirect_uris=[redirect_uri],
                grant_types=["authorization_code"],
                response_types=["code"],
                scope=["openid", "profile", "groups"],
                token_endpoint_auth_method="client_secret_basic",
                audience=[],
            )
        )
        stored = self.backend.query(self.models.Client)[0]
        self.backend.update(stored, audience=[stored])
        self.backend.save(stored)

    def person(self, name: str, shown: str, groups: list[str]) -> None:
        made = self.models.User(
            user_name=name, formatted_name=shown, family_name=shown, emails=[f"{name}@p.example"]
        )
        self.backend.save(made)
        self.people[name] = made
        for group in groups:
            known = self.backend.query(self.models.Group, display_name=group)
            if known:
                self.backend.update(known[0], members=[*known[0].members, made])
                self.backend.save(known[0])
            else:
                self.backend.save(self.models.Group(display_name=group, members=[made]))
        self.backend.reload(made)

    def sits(self, name: str | None) -> None:
        self.sitting = None if name is None else self.people[name]


def main() -> None:
    import threading

    house = _House()
    threading.Thread(target=house.server.serve_forever, daemon=True).start()
    print(json.dumps({"issuer": f"http://localhost:{house.port}"}), flush=True)
    for line in sys.stdin:
        words = json.loads(line)
        with house.app.app_context():
            getattr(house, words.pop("do"))(**words)
        print("{}", flush=True)


if __name__ == "__main__":
    main()
