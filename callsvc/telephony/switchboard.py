"""All calls of a node: lets legs in, keeps time for everybody, and sees every call to its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType
from uuid import UUID

from callsvc import logs
from callsvc.clock import Clock
from callsvc.ids import parse_id
from callsvc.telephony import metrics, plain, sdp, webrtc
from callsvc.telephony.call import Call
from callsvc.telephony.connection import Connection
from callsvc.telephony.errors import CallOver, LegTaken, NodeFull, NoSuchLeg, TokenRefused
from callsvc.telephony.line_profiles import Lines
from callsvc.telephony.lines import TelephoneLine
from callsvc.telephony.parts import Parts
from callsvc.telephony.plain import Ports
from callsvc.telephony.policies import KeepRaw, LinePolicy, policy_of
from callsvc.telephony.tokens import Claims, UsedTokens
from callsvc.types import CallState, Leg, Profile

TICK_S = 0.010
GIVE_UP_S = 0.1
"""Ticks that are later than this are left out, not made up for; those that follow keep step with those before."""
REMEMBERED_CALLS = 1000
"""Calls that are over and may not begin again, though a token for them is still good."""
COMMANDERS = 200
"""Tokens a call that stay good for commanding it; later ones are good for their two minutes."""
log = logs.get("telephony")


class Switchboard:
    """The calls of this node. Use as an async context manager: leaving ends what is left."""

    def __init__(
        self,
        parts: Parts,
        ports: Ports,
        *,
        max_calls: int,
        keep_raw: KeepRaw = "never",
        lines: Lines | None = None,
    ) -> None:
        self.calls: dict[UUID, Call] = {}
        self.draining = False
        self._parts = replace(parts, discard=self._discard)
        self._ports = ports
        self._max_calls = max_calls
        self._keep_raw = keep_raw
        self._lines = lines or Lines()
        self._used = UsedTokens()
        self._over: deque[UUID] = deque(maxlen=REMEMBERED_CALLS)
        self._joining: set[tuple[UUID, Leg]] = set()
        self._expected: set[UUID] = set()
        self._tasks = asyncio.TaskGroup()
        self._pacing: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self._busy = asyncio.Event()

    async def __aenter__(self) -> Switchboard:
        await self._tasks.__aenter__()
        self._pacing = self._tasks.create_task(self._pace(), name="pace")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for call in list(self.calls.values()):
            call.end("node_stopped")
        if self._pacing:
            self._pacing.cancel()
        await self._tasks.__aexit__(None, None, None)

    async def join(self, call_id: str, leg: Leg, claims: Claims, body: bytes) -> str:
        """Let a leg in: an SDP offer for the answer. Raises a `TelephonyError` and changes nothing otherwise."""
        identity = parse_id(call_id)
        call = self.calls.get(identity)
        if identity in self._over:
            raise CallOver
        if call is None and self.full:
            raise NodeFull
        self._used.check(claims)
        if (identity, leg) in self._joining or (call and not call.may_take_over(leg, claims.subject)):
            raise LegTaken
        offer = sdp.parse(body)
        self._joining.add((identity, leg))
        try:
            spoken = call.policy.codecs if call else self.policy(claims.profile).codecs
            connection, answer = await self._accept(offer, body, spoken)
        finally:
            self._joining.discard((identity, leg))
        try:
            self._used.use(claims, self._parts.clock.utc_now())
            self._enter(
                identity,
                leg,
                claims.profile,
                connection,
                claims.token,
                claims.subject,
                demonstration=claims.demonstration,
            )
        except BaseException:
            await connection.close()
            raise
        return answer

    async def _accept(self, offer: sdp.Offer, body: bytes, spoken: tuple[str, ...]) -> tuple[Connection, str]:
        offer = sdp.preferring(offer, spoken)
        if offer.protocol == sdp.PLAIN:
            return await plain.accept(offer, self._ports, self._parts.clock)
        return await webrtc.accept(body.decode("utf-8"), self._parts.clock, spoken)

    def admit(
        self,
        identity: UUID,
        leg: Leg,
        profile: Profile,
        connection: Connection,
        line: TelephoneLine | None = None,
    ) -> None:
        """Let a leg in that a trunk or a PBX has put through: it needs no token, its door has looked at it.

        Raises a `TelephonyError`, and leaves the connection to whoever brought it.
        """
        call = self.calls.get(identity)
        if (identity, leg) in self._joining or (call and leg in call.sides):
            raise LegTaken
        self._enter(identity, leg, profile, connection, "", line=line)

    def policy(self, profile: Profile, *, demonstration: bool = False) -> LinePolicy:
        """The rules for a call that begins now on a line of this kind."""
        return policy_of(profile, demonstration=demonstration, keep_raw=self._keep_raw, lines=self._lines)

    def expect(self, identity: UUID) -> None:
        """Keep room for a call that a trunk or a PBX is putting through: somebody rings, and is waited for, from now on until
        `forget`. Raises `NodeFull`.
        """
        if self.full:
            raise NodeFull
        self._expected.add(identity)
        self._empty.clear()

    def forget(self, identity: UUID) -> None:
        """It came to nothing, or is over; may be called for any call."""
        self._expected.discard(identity)
        self._look_if_empty()

    @property
    def full(self) -> bool:
        """Whether no call can begin now."""
        return self.draining or len(self._expected | self.calls.keys()) >= self._max_calls

    def _enter(
        self,
        identity: UUID,
        leg: Leg,
        profile: Profile,
        connection: Connection,
        token: str,
        subject: str | None = None,
        *,
        demonstration: bool = False,
        line: TelephoneLine | None = None,
    ) -> None:
        call = self.calls.get(identity)
        if identity in self._over:
            raise CallOver
        if call is None:
            if identity not in self._expected and self.full:
                raise NodeFull
            policy = self.policy(profile, demonstration=demonstration)
            if line and line.announce:
                spoken = line.announce, line.language
                policy = replace(policy, announcement=spoken, language=line.language)
            call = Call(identity, profile, policy, self._parts, self._ended, line=line.id if line else "")
            self.calls[identity] = call
            self._empty.clear()
            self._busy.set()
        call.join(leg, connection, token, subject)
        self._count()

    def hang_up(self, call_id: str, leg: Leg, claims: Claims, *, expired: bool) -> None:
        """End a call from one leg; an expired token will do if it is the one that joined."""
        call = self.calls.get(parse_id(call_id))
        side = call.sides.get(leg) if call else None
        if call is None or side is None or (expired and side.token != claims.token):
            raise NoSuchLeg
        call.hang_up(side, "hangup")

    def _ended(self, call: Call) -> None:
        self.calls.pop(call.id, None)
        self._over.append(call.id)
        self._tasks.create_task(self._close(call), name="close")
        if not self.calls:
            self._busy.clear()
        self._look_if_empty()
        self._count()

    def _look_if_empty(self) -> None:
        if not self.calls and not self._expected:
            self._empty.set()

    def commanded(self, call_id: str, claims: Claims, *, expired: bool) -> Call:
        """The call that the bearer of an operator's token may command: a token that was shown in time stays good."""
        call = self.calls.get(parse_id(call_id))
        if call is None:
            raise NoSuchLeg("no such call")
        if expired and claims.token not in call.commanders:
            raise TokenRefused("expired")
        if len(call.commanders) < COMMANDERS:
            call.commanders.add(claims.token)
        return call

    def _discard(self, connection: Connection) -> None:
        self._tasks.create_task(self._guarded(connection.close), name="close")

    async def _close(self, call: Call) -> None:
        await asyncio.gather(*(self._guarded(side.connection.close) for side in call.sides.values()))
        take_apart(call)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """The root of a task of one call: what goes wrong in it stays in it."""
        try:
            await work()
        except Exception as error:
            log.error("close_failed", error=type(error).__name__)

    async def _pace(self) -> None:
        """Wake every 10 ms, for all calls at once, so that their sound reaches the suppressor as one batch.

        Calls are told when the wake was due, not when it came: what falls due close to a wake would else go out now
        with this one and now, 10 ms later, with the next.
        """
        clock, loop = self._parts.clock, asyncio.get_running_loop()
        while True:
            await self._busy.wait()
            due = loop.time()
            ahead = _ahead(clock, loop)
            while self.calls:
                due += TICK_S
                behind = loop.time() - due
                if behind > GIVE_UP_S:
                    due += behind // TICK_S * TICK_S
                await asyncio.sleep(max(0.0, due - loop.time()))
                late = max(0.0, loop.time() - due)
                metrics.LATENESS.observe(late)
                now = clock.monotonic()
                if not due + ahead <= now <= due + ahead + late + GIVE_UP_S:
                    # Not the loop's clock: one that stands still, or was moved.
                    ahead = _ahead(clock, loop)
                self.tick(min(due + ahead, now))

    def tick(self, now: float) -> None:
        """Let every call do what is due, then the suppressor have what came of it, as one batch.

        A call that fails ends, and no other.
        """
        calls = list(self.calls.values())
        for call in calls:
            try:
                call.due(now)
            except Exception as error:
                call.fail(error)
        for call in calls:
            try:
                call.hand_on()
            except Exception as error:
                call.fail(error)

    def _count(self) -> None:
        states = [call.state for call in self.calls.values()]
        for state in (CallState.SETTING_UP, CallState.LIVE):
            metrics.CALLS.labels(state.value).set(states.count(state))

    async def drain(self) -> None:
        """Take no more calls and wait until those here are over, and those that ring."""
        self.draining = True
        await self._empty.wait()


def take_apart(call: Call) -> None:
    """The call is over and its legs are closed. Its parts know one another: each would keep the others until the garbage
    collector comes, which is seldom, and holds everybody up.
    """
    for side in call.sides.values():
        side.let_go()
    call.sides.clear()
    call.live = None


def _ahead(clock: Clock, loop: asyncio.AbstractEventLoop) -> float:
    """How far one clock is ahead of the other; the least of some looks, as one may be interrupted half-way."""
    return min(-loop.time() + clock.monotonic() for _ in range(3))
