"""Session timers (RFC 4028): a dialog that nobody refreshes in time is over, so that no call outlives its telephones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sippy.SipHeader import SipHeader
from sippy.Time.Timeout import Timeout

LEAST_S = 90
"""What the RFC sets as the least that need be accepted."""
SUPPORTED = "timer, replaces"
SPOKEN = set(SUPPORTED.split(", "))
"""The extensions that a request may require of us."""
TRY_AGAIN_S = 5.0
"""How soon a refresh is tried again that the peer could not take."""
EXPIRES = re.compile(r"\s*(\d{1,9})\s*(?:;.*)?")
REFRESHER = re.compile(r";\s*refresher\s*=\s*(uac|uas)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a message says: for how long, and who refreshes, `uac`, `uas` or nobody named."""

    seconds: int
    refresher: str = ""


def value(message: Any, *names: str) -> str | None:
    """The first of these headers as text, if it is there."""
    for name in names:
        for body in message.getHFBodys(name):
            return str(body)
    return None


def terms_of(message: Any) -> Terms | None:
    """What a request or a response says of its session; None when it says nothing that can be read."""
    text = value(message, "session-expires", "x")
    found = EXPIRES.fullmatch(text) if text else None
    if found is None or text is None:
        return None
    named = REFRESHER.search(text)
    return Terms(int(found[1]), named[1].lower() if named else "")


def least_of(message: Any) -> int:
    """The shortest session that a 422 takes, in seconds; 0 where it does not say."""
    found = EXPIRES.fullmatch(value(message, "min-se") or "")
    return int(found[1]) if found else 0


def lacking(message: Any) -> list[str]:
    """The extensions that a request requires and we do not have."""
    required = (one.strip() for one in (value(message, "require") or "").split(","))
    return sorted({one for one in required if one} - SPOKEN)


def header(name: str, text: str) -> Any:
    """A header that sippy has no type for."""
    return SipHeader(name=name, bodys=text)


class SessionTimer:
    """One dialog's timer. `refresh` is asked to send a request, `over` is told that nobody refreshed."""

    def __init__(self, refresh: Callable[[], None], over: Callable[[], None]) -> None:
        self.terms: Terms | None = None
        self._ours = False
        self._refresh = refresh
        self._over = over
        self._timers: list[Any] = []

    def agree(self, terms: Terms | None, we_are: str) -> None:
        """From now on these hold; `we_are` is `uac` or `uas` in the exchange that agreed on them."""
        self.stop()
        self.terms = terms
        if terms is not None:
            self._ours = terms.refresher == we_are
            self.refreshed()

    def refreshed(self) -> None:
        """The session is known to live: begin anew."""
        self.stop()
        if self.terms is None:
            return
        seconds = self.terms.seconds
        if self._ours:
            self._timers.append(Timeout(self._refresh, seconds / 2))
        # A little before the end, as the RFC has it, so that both sides do not hang up at once.
        self._timers.append(Timeout(self._over, seconds - min(32, seconds / 3)))

    @property
    def wished(self) -> str:
        """What a request of ours says of the session: that it goes on as it is. There must be one."""
        assert self.terms is not None
        return f"{self.terms.seconds};refresher={'uac' if self._ours else 'uas'}"

    def try_again(self) -> None:
        """The refresh was not taken: ask for another one soon. The session ends no later for it."""
        self._timers.append(Timeout(self._refresh, TRY_AGAIN_S))

    def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = []
