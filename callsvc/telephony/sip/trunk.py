"""All calls by SIP: who may call, what number goes where, and what is answered to the rest."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sippy.SipRegistrationAgent import SipRegistrationAgent
from sippy.SipURL import SipURL

from callsvc import logs
from callsvc.clock import Clock
from callsvc.errors import ConfigurationError, PortTaken
from callsvc.telephony.lines import ADDRESS, TelephoneLine
from callsvc.telephony.sip import metrics
from callsvc.telephony.sip.admission import Bucket, Peers
from callsvc.telephony.sip.call import SipCall
from callsvc.telephony.sip.dialog import ALLOW
from callsvc.telephony.sip.door import RETRY_AFTER_S
from callsvc.telephony.sip.line import Line
from callsvc.telephony.sip.media import Pairs
from callsvc.telephony.sip.replaces import Replaces, read
from callsvc.telephony.sip.session import LEAST_S, SUPPORTED, header, lacking, terms_of, value
from callsvc.telephony.sip.stack import Stack
from callsvc.telephony.switchboard import Switchboard
from callsvc.types import Leg, Profile

log = logs.get("sip")


def address(text: str) -> tuple[str, str, int]:
    """User, host and port of a SIP address; raises `ConfigurationError`."""
    found = ADDRESS.fullmatch(text)
    if found is None:
        raise ConfigurationError("{found!r} is no address of the form sip:user@192.0.2.1:5060.", found=text)
    return found[1] or "", found[2].strip("[]"), int(found[3] or 5060)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the trunk is to be; the settings `sip.*` in a form that can be used."""

    peers: Sequence[str]
    default: Line
    lines: Sequence[tuple[str, Line]] = ()
    """Patterns of called numbers, the first that fits; they go before those of the screens."""
    edited: Callable[[str], TelephoneLine | None] = lambda _: None
    """The line of the screens that a number belongs to."""
    user: str = ""
    password: str = ""
    registrar: str = ""
    register_s: int = 300
    ring_s: int = 180
    session_s: int = 1800
    calls_per_s: float = 10.0
    burst: int = 20
    hosts: Sequence[str] = field(default_factory=tuple)
    """Addresses besides the peers' that belong to us: telephones, the registrar."""


class Trunk:
    """One bound address. Use `start` and `close`."""

    def __init__(self, host: str, wishes: Wishes, board: Switchboard, pairs: Pairs, clock: Clock) -> None:
        self.board = board
        self.pairs = pairs
        self.clock = clock
        self.user = wishes.user
        self.password = wishes.password
        self.ring_s = wishes.ring_s
        self.session_s = wishes.session_s
        self.calls: set[SipCall] = set()
        self.registered: bool | None = None
        """None where nobody is registered with."""
        self._host = host
        self._wishes = wishes
        telephones = [
            line.host for line in (wishes.default, *(line for _, line in wishes.lines)) if line.host
        ]
        self._stack = Stack(host, Peers([*wishes.peers, *wishes.hosts, *telephones]), self._request)
        self.config = self._stack.config
        self._bucket = Bucket(wishes.calls_per_s, wishes.burst, clock.monotonic())
        self._stack.door.crowded = self._crowded
        self._stack.door.known = self._stack.known
        self._agent: Any = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, port: int) -> int:
        """Bind, register; the port that is in use. Raises `PortTaken`."""
        try:
            bound = self._stack.open(port)
        except OSError:
            raise PortTaken(
                "{host}:{port} cannot be listened on for SIP.", host=self._host, port=port
            ) from None
        if self._wishes.registrar:
            self._register()
        return bound

    async def close(self) -> None:
        """Hang up what is left, and let the port go."""
        if self._agent:
            self._agent.stopregister()
        for call in list(self.calls):
            call.hang_up()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._stack.close()

    # What comes that belongs to no dialog.

    def _crowded(self) -> bool:
        return self.board.full or not self._bucket.take(self.clock.monotonic())

    def _request(self, req: Any, sip_t: Any) -> Any:
        method = req.getMethod()
        if req.getHFBody("to").getTag() is not None:
            return _answer(req, 481, "Call/Transaction Does Not Exist")
        if missing := lacking(req):
            return _answer(req, 420, "Bad Extension", unsupported=", ".join(missing))
        if method == "INVITE":
            return self._invite(req, sip_t)
        if method == "OPTIONS":
            if self.board.draining:
                return _answer(req, 503, "Service Unavailable", **{"retry-after": str(RETRY_AFTER_S)})
            return _answer(req, 200, "OK", allow=ALLOW, accept="application/sdp", supported=SUPPORTED)
        return _answer(req, 405, "Method Not Allowed", allow=ALLOW)

    def _invite(self, req: Any, sip_t: Any) -> Any:
        if req.countHFs("contact") == 0:
            return _answer(req, 400, "Missing Contact")
        content = req.getBody()
        if content is not None and content.getType() != "application/sdp":
            return _answer(req, 415, "Unsupported Media Type", accept="application/sdp")
        terms = terms_of(req)
        if terms is not None and terms.seconds < LEAST_S:
            return _answer(req, 422, "Session Interval Too Small", **{"min-se": str(LEAST_S)})
        if self.board.full:
            return _answer(req, 503, "Service Unavailable", **{"retry-after": str(RETRY_AFTER_S)})
        replaced: SipCall | None = None
        if (text := value(req, "replaces")) is not None:
            named = read(text)
            found = self.named(named) if named and req.countHFs("replaces") == 1 else None
            if named is None or found is None:
                return _answer(req, 481, "Call/Transaction Does Not Exist")
            replaced, leg = found
            if named.early_only:
                return _answer(req, 486, "Busy Here")
            if leg is not Leg.CALLER or replaced.operator is None:
                # Who is left would be taken for an operator, and the sound of a caller is not for us to work on.
                return _answer(req, 603, "Decline")
        call = SipCall(self, replaced)
        self.board.expect(call.id)
        self.calls.add(call)
        try:
            return call.invited(req, sip_t)
        except Exception:
            self.over(call)
            raise

    # What calls ask.

    def named(self, dialog: Replaces) -> tuple[SipCall, Leg] | None:
        """The call that has this dialog, and on which side of us."""
        for call in self.calls:
            for one in (call.caller, call.operator):
                if one is not None and one.is_named(dialog):
                    return call, one.leg
        return None

    @property
    def address(self) -> tuple[str, int]:
        """Where we answer."""
        return self._stack.door.getSIPaddr()[0]

    def line(self, number: str) -> Line:
        for pattern, line in self._wishes.lines:
            if fnmatch.fnmatchcase(number, pattern):
                return line
        found = self._wishes.edited(number)
        return edited_line(found) if found else self._wishes.default

    def spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def over(self, call: SipCall) -> None:
        self.calls.discard(call)
        self.board.forget(call.id)

    # The registrar.

    def _register(self) -> None:
        self.registered = False
        user, host, port = address(self._wishes.registrar)
        user = user or self._wishes.user
        self._agent = SipRegistrationAgent(
            self.config,
            SipURL(username=user, host=host),
            SipURL(username=user),
            user=self._wishes.user or None,
            passw=self._wishes.password or None,
            exp=self._wishes.register_s,
            rok_cb=lambda *_: self._set_registered(True),
            rfail_cb=lambda *_: self._set_registered(False),
            target=((host, port), "udp"),
        )
        self._agent.doregister()

    def _set_registered(self, registered: bool) -> None:
        if registered is not self.registered:
            log.info("sip_registered" if registered else "sip_not_registered")
        self.registered = registered
        metrics.REGISTERED.set(registered)


def _answer(req: Any, code: int, reason: str, **headers: str) -> Any:
    resp = req.genResponse(code, reason)
    resp.appendHeaders([header(name, text) for name, text in headers.items()])
    metrics.CALLS.labels(str(code)).inc() if req.getMethod() == "INVITE" else None
    return resp, None, None


async def _guarded(work: Awaitable[None]) -> None:
    """The root of a task: what goes wrong in it stays in it."""
    try:
        await work
    except Exception as error:
        log.error("sip_task_failed", error=type(error).__name__, exc_info=error)


def profile_line(profile: Profile, operator: str) -> Line:
    """A line of the settings: a profile, and the operator's telephone or nothing."""
    if not operator:
        return Line(profile)
    user, host, port = address(operator)
    return Line(profile, user, host, port)


def edited_line(found: TelephoneLine) -> Line:
    """A line of the screens."""
    line = profile_line(found.profile, found.operator)
    return replace(line, entry=found)
