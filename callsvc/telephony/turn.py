"""Who lets browsers through that cannot reach the node by themselves: a TURN server, and passes for it.

The pass is a name with an end and its HMAC under a secret that node and TURN server share (coturn's `use-auth-secret`).
It is handed out as WHIP does it (RFC 9725 section 4.6): Link fields with the relation `ice-server`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(hours=12)
"""Longer than any call: a pass is asked for again whenever an allocation is refreshed."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a client shows the TURN server."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Turn:
    """The TURN servers of this installation."""

    urls: tuple[str, ...]
    secret: str

    def issue(self, now: datetime, subject: str) -> Pass:
        """A pass for this person, good for twelve hours."""
        user = f"{int((now + LIFETIME).timestamp())}:{subject}"
        digest = hmac.new(self.secret.encode(), user.encode(), hashlib.sha1).digest()
        return Pass(user, base64.b64encode(digest).decode("ascii"))

    def links(self, now: datetime, subject: str) -> str:
        """The value of a Link header; empty where there is no server."""
        if not self.urls:
            return ""
        given = self.issue(now, subject)
        return ", ".join(
            f'<{url}>; rel="ice-server"; username="{given.user}"; credential="{given.password}"; credential-type="password"'
            for url in self.urls
        )
