"""Calls that Asterisk hands to us by `Stasis(callsvc,<profile>,<operator>)`, each on two bridges of its own.

    bridge 1: caller   + AudioSocket 1 ──► node ──► bridge 2: operator + AudioSocket 2

The operator is rung, or takes the call in the browser when none is named. Whoever hangs up ends the call. If it is
our side that fails, both are put into one bridge and talk on: quiet is lost, the call is not. A call that cannot be
taken at all goes back to the dial plan, at the line after `Stasis()`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any
from uuid import uuid4

from websockets.exceptions import WebSocketException

from callsvc import logs
from callsvc.ids import new_id
from callsvc.telephony.asterisk import metrics, orphans
from callsvc.telephony.asterisk.ari import Ari, AriRefused, Fields
from callsvc.telephony.asterisk.channels import Channel, ChannelGone, Channels
from callsvc.telephony.asterisk.connection import AudioSocketConnection
from callsvc.telephony.asterisk.placed import MEDIA, OURS, Placed, Plan
from callsvc.telephony.asterisk.server import AudioSocketServer
from callsvc.telephony.errors import TelephonyError
from callsvc.telephony.switchboard import Switchboard
from callsvc.types import Leg, Profile

AGAIN_S = (0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts to reach Asterisk; the last one is kept to."""
MEDIA_S = 5.0
"""How long Asterisk may take to bring an AudioSocket."""
MAX_CALLS = 400
"""Calls that ring, run or talk on without us, at once; more go back to the dial plan."""
OVER = ("hangup", "nobody_came")
"""Causes for which a call is over; for any other, something of ours failed."""
log = logs.get("asterisk")


class Exchange:
    """All calls of one Asterisk. `run` until it is cancelled."""

    def __init__(self, ari: Ari, audio: AudioSocketServer, board: Switchboard, plan: Plan) -> None:
        self.connected = False
        self._ari = ari
        self._audio = audio
        self._board = board
        self._plan = plan
        self._channels = Channels()
        self._calls: dict[asyncio.Task[None], Placed] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Take calls, and come back when Asterisk does. Calls that run need no line to it."""
        failures = 0
        async with asyncio.TaskGroup() as self._tasks:
            while True:
                try:
                    async for event in self._ari.events():
                        failures = 0
                        self._event(event)
                except (OSError, WebSocketException, TimeoutError) as error:
                    log.warning("asterisk_away", error=type(error).__name__)
                self._set_connected(False)
                await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
                failures += 1

    def _set_connected(self, connected: bool) -> None:
        self.connected = connected
        metrics.CONNECTED.set(connected)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        assert self._tasks is not None
        return self._tasks.create_task(_guarded(work), name=name)

    def _event(self, event: Fields) -> None:
        kind = event.get("type")
        if kind == "Connected":
            log.info("asterisk_connected")
            self._set_connected(True)
            self._spawn(self._compare(), "asterisk-compare")
            return
        channel = self._channels.event(event)
        if kind == "ChannelDtmfReceived" and channel:
            digit = str(event.get("digit", ""))[:1]
            if digit and (other := self._other(channel)):
                self._press(other, digit)
        elif kind in ("ChannelHold", "ChannelUnhold") and channel:
            self._rests(channel, kind == "ChannelHold")
        elif kind == "StasisStart" and channel is None:
            self._offered(event)
        elif kind == "StasisStart" and channel and "replace_channel" in event:
            log.info("asterisk_party_replaced")
            self._rests(channel, False)
        elif kind == "ApplicationReplaced":
            # Another node has asked for the calls of the same application.
            log.error("asterisk_app_taken", app=self._ari.app)

    async def _compare(self) -> None:
        """While the line was lost, somebody may have hung up; and a node that died has left what nobody knows of."""
        before = self._channels.entered()
        present = await self._ari.request("GET", "/channels")
        if isinstance(present, list):
            there = {str(one.get("id")) for one in present if isinstance(one, dict)}
            # Who came while Asterisk answered is not in its list.
            for channel in before:
                if channel.id not in there:
                    channel.go()
        found = await orphans.look(
            self._ari,
            self._plan.node,
            self._channels.__contains__,
            lambda: {one.id for one in self._calls.values()},
        )
        for name in found.ringing:
            await self._quietly("DELETE", f"/channels/{name}")
        for name in found.waiting:
            await self._quietly("POST", f"/channels/{name}/continue")
        for orphan in found.calls:
            self._adopt(orphan)

    def _adopt(self, orphan: orphans.Orphan) -> None:
        """A call that the node had before it died: let them talk, and see to it that both are hung up."""
        parties = [self._channels.add(name) for name in orphan.parties]
        for party in parties:
            party.enter()
        media = [self._channels.add(name) for name in orphan.media]
        lost = Channel("")
        lost.go()
        caller, operator, *_ = [*parties, lost, lost]
        placed = Placed(orphan.id, caller, operator=operator, bridges=orphan.bridges, external=media)
        log.warning("asterisk_call_found", call=str(placed.id), parties=len(parties))
        self._follow(placed, self._let_talk(placed))

    async def _let_talk(self, placed: Placed) -> None:
        try:
            await self._goes_on_alone(placed)
        finally:
            await asyncio.shield(self._clear(placed))

    def _follow(self, placed: Placed, work: Coroutine[Any, Any, None]) -> None:
        task = self._spawn(work, "asterisk-call")
        self._calls[task] = placed
        task.add_done_callback(lambda done: self._calls.pop(done, None))

    def _placed(self, channel: Channel) -> Placed | None:
        return next((one for one in self._calls.values() if one.leg_of(channel)), None)

    def _other(self, channel: Channel) -> Channel | None:
        placed = self._placed(channel)
        if placed is None:
            return None
        return placed.operator if channel is placed.caller else placed.caller

    def _press(self, channel: Channel, digit: str) -> None:
        self._spawn(self._send_digit(channel, digit), "asterisk-digit")

    async def _send_digit(self, channel: Channel, digit: str) -> None:
        async with channel.turn:
            await self._quietly("POST", f"/channels/{channel.id}/dtmf", dtmf=digit)

    def _rests(self, channel: Channel, holds: bool) -> None:
        """A telephone has put the other one on hold, or takes the call up again."""
        channel.holds = holds
        placed = self._placed(channel)
        if placed and (leg := placed.leg_of(channel)) in placed.legs:
            placed.legs[leg].rest(holds)
        if other := self._other(channel):
            self._spawn(self._play_music(channel, other), "asterisk-hold")

    async def _play_music(self, channel: Channel, other: Channel) -> None:
        """Asterisk's music on hold; it does not reach beyond a bridge by itself."""
        async with other.turn:
            await self._quietly("POST" if channel.holds else "DELETE", f"/channels/{other.id}/moh")

    def _offered(self, event: Fields) -> None:
        of, args = event.get("channel"), event.get("args") or []
        if not isinstance(of, dict) or not isinstance(args, list) or not isinstance(of.get("id"), str):
            return
        if of["id"].startswith(OURS):
            # It arrived after everybody had left.
            self._spawn(self._quietly("DELETE", f"/channels/{of['id']}"), "asterisk-late")
            return
        dialled = of.get("dialplan")
        extension = str(dialled.get("exten") or "") if isinstance(dialled, dict) else ""
        line = self._plan.line(extension) if extension else None
        usual = line.profile if line else self._plan.profile
        try:
            profile = Profile(args[0]) if args and args[0] else usual
        except ValueError:
            log.warning("asterisk_profile_unknown")
            profile = usual
        operator = str(args[1]) if len(args) > 1 else self._plan.operator
        placed = Placed(new_id(), self._channels.add(of["id"]), line)
        placed.caller.enter()
        caller = of.get("caller")
        number = str(caller.get("number") or "") if isinstance(caller, dict) else ""
        shown = "" if profile is Profile.ANONYMOUS else number
        self._follow(placed, self._call(placed, profile, operator, shown))

    async def _call(self, placed: Placed, profile: Profile, operator: str, number: str) -> None:
        try:
            try:
                self._board.expect(placed.id)
                await self._set_up(placed, profile, operator, number)
            except (AriRefused, ChannelGone, TelephonyError, TimeoutError) as error:
                metrics.CALLS.labels("given_back").inc()
                log.warning("asterisk_call_given_back", call=str(placed.id), error=type(error).__name__)
                for connection in placed.legs.values():
                    connection.gone("failed")
                    await connection.close()
                await self._give_back(placed)
                return
            finally:
                self._board.forget(placed.id)
            metrics.CALLS.labels("put_through").inc()
            await self._watch(placed)
        finally:
            # Also when the node stops: what is left in Asterisk would wait for ever.
            await asyncio.shield(self._clear(placed))

    async def _set_up(self, placed: Placed, profile: Profile, operator: str, number: str) -> None:
        if len(self._calls) > MAX_CALLS:
            raise TelephonyError("no room for another call")
        await self._ari.request("POST", f"/channels/{placed.caller.id}/ring")
        if operator:
            placed.operator = await self._ring(placed, operator, number)
        await self._ari.request("POST", f"/channels/{placed.caller.id}/answer")
        parties = placed.parties
        made = await asyncio.gather(
            *(self._put_through(placed, leg, channel) for leg, channel in parties.items()),
            return_exceptions=True,
        )
        came = zip(parties, made, strict=True)
        placed.legs |= {leg: result for leg, result in came if isinstance(result, AudioSocketConnection)}
        for failed in made:
            if isinstance(failed, BaseException):
                raise failed
        if placed.operator is None:
            placed.legs[Leg.CALLER].ring()
        for leg, connection in placed.legs.items():
            connection.on_press = partial(self._press, parties[leg])
            self._board.admit(placed.id, leg, profile, connection, placed.line)

    async def _ring(self, placed: Placed, endpoint: str, number: str) -> Channel:
        """Call the operator, and come back when they have answered."""
        channel = placed.operator = self._channels.add(f"{OURS}{placed.id}-operator")
        shown = {"callerId": number} if number else {}
        await self._ari.request(
            "POST", "/channels", endpoint=endpoint, app=self._ari.app, appArgs=f"{OURS}operator",
            channelId=channel.id, originator=placed.caller.id, timeout=self._plan.ring_s, **shown,
        )  # fmt: skip
        async with asyncio.timeout(self._plan.ring_s + MEDIA_S):
            await _first_of(_leaving(placed.caller), channel.entered)
        if placed.caller.gone.is_set() or not channel.entered.done():
            raise ChannelGone
        channel.entered.result()
        return channel

    async def _put_through(self, placed: Placed, leg: Leg, party: Channel) -> AudioSocketConnection:
        """A bridge with this party and an AudioSocket to us."""
        identity = uuid4()
        waiting = self._audio.expect(identity)
        try:
            bridge = placed.bridges[leg] = placed.bridge(leg)
            await self._ari.request("POST", "/bridges", type="mixing", bridgeId=bridge, name=self._plan.node)
            external = self._channels.add(bridge + MEDIA)
            placed.external.append(external)
            await self._ari.request(
                "POST", "/channels/externalMedia", channelId=external.id, app=self._ari.app,
                external_host=self._plan.audio_host, encapsulation="audiosocket", transport="tcp",
                format=self._plan.form, data=str(identity),
            )  # fmt: skip
            async with asyncio.timeout(MEDIA_S):
                connection = await waiting
                await external.entered
            try:
                await self._ari.request(
                    "POST", f"/bridges/{bridge}/addChannel", channel=f"{party.id},{external.id}"
                )
            except AriRefused:
                await connection.close()
                raise
            return connection
        finally:
            waiting.cancel()

    async def _watch(self, placed: Placed) -> None:
        """Until it is over, whoever ends it."""
        legs = placed.legs
        try:
            leaving = {leg: _leaving(channel) for leg, channel in placed.parties.items()}
            over = [connection.over for connection in legs.values()]
            await _first_of(*leaving.values(), *over)
            for leg, channel in placed.parties.items():
                if channel.gone.is_set():
                    legs[leg].gone("hangup")
            cause = await legs[Leg.CALLER].over
            if cause in OVER or not placed.whole:
                return
            log.error("asterisk_call_goes_on_alone", call=str(placed.id), cause=cause)
            await self._goes_on_alone(placed)
        except asyncio.CancelledError:
            # The node stops; they go on talking.
            if placed.whole and await self._join_directly(placed):
                placed.kept = True
            raise

    async def _goes_on_alone(self, placed: Placed) -> None:
        """Let them talk without us, until one of them has enough."""
        if placed.whole and await self._join_directly(placed):
            try:
                await _first_of(*(_leaving(channel) for channel in placed.parties.values()))
            except asyncio.CancelledError:
                placed.kept = placed.whole
                raise

    async def _join_directly(self, placed: Placed) -> bool:
        """We failed them: both into one bridge, without us. Without an operator's channel the dial plan decides."""
        if placed.operator is None:
            await self._give_back(placed)
            return False
        try:
            await self._ari.request(
                "POST", f"/bridges/{placed.bridges[Leg.CALLER]}/addChannel", channel=placed.operator.id
            )
        except AriRefused:
            return False
        metrics.CALLS.labels("went_on_alone").inc()
        return True

    async def _give_back(self, placed: Placed) -> None:
        """The dial plan goes on with the caller, at the line after `Stasis()`."""
        if not placed.caller.gone.is_set():
            await self._quietly("POST", f"/channels/{placed.caller.id}/continue")
            placed.caller.go()

    async def _clear(self, placed: Placed) -> None:
        """Take down what is left in Asterisk."""
        parties = [] if placed.kept else list(placed.parties.values())
        for channel in (*placed.external, *parties):
            if not channel.gone.is_set():
                await self._quietly("DELETE", f"/channels/{channel.id}")
        for leg, bridge in placed.bridges.items():
            if not (placed.kept and leg is Leg.CALLER):
                await self._quietly("DELETE", f"/bridges/{bridge}")
        for channel in (*placed.parties.values(), *placed.external):
            self._channels.forget(channel)

    async def _quietly(self, method: str, path: str, **query: str | int) -> None:
        """Ask for what may be done already."""
        try:
            await self._ari.request(method, path, **query)
        except AriRefused as error:
            if error.status != 404:
                log.warning("asterisk_refused", status=error.status)


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    """The root of a task: what goes wrong in it stays in it."""
    try:
        await work
    except Exception as error:
        log.error("asterisk_task_failed", error=type(error).__name__, exc_info=error)


def _leaving(channel: Channel) -> asyncio.Task[object]:
    return asyncio.create_task(channel.gone.wait(), name="asterisk-leaving")


async def _first_of(*waited: asyncio.Future[Any]) -> None:
    """Until one of them is done; the tasks among them end with it."""
    try:
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waited:
            if isinstance(one, asyncio.Task):
                one.cancel()
