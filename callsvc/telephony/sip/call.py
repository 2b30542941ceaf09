"""One call by SIP: the caller's dialog and the operator's, and what each is told of the other.

    caller: INVITE ─► ringing ─► (early media) ─► 200 ─► talks ─► BYE
    operator:         INVITE  ─► 180, 183      ─► 200

The operator is offered what the caller offered, and the caller gets the codec that the operator chose: whatever fails
here, sound can be passed on as it is. Where no telephone is named, the caller rings until a browser takes the call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sippy.CCEvents import (
    CCEventConnect,
    CCEventDisconnect,
    CCEventFail,
    CCEventRedirect,
    CCEventRing,
    CCEventTry,
)
from sippy.SipCallId import SipCallId

from callsvc import logs
from callsvc.ids import new_id
from callsvc.telephony.errors import BadOffer, NodeFull, TelephonyError
from callsvc.telephony.sip import metrics, relay
from callsvc.telephony.sip.description import Description, agreed, answered, offered, usual
from callsvc.telephony.sip.dialog import ALLOW, Dialog, body
from callsvc.telephony.sip.line import House, Line
from callsvc.telephony.sip.media import SipConnection
from callsvc.telephony.sip.replaces import referred, sent_to
from callsvc.telephony.sip.session import SUPPORTED, header, value
from callsvc.telephony.sip.sound import Sound
from callsvc.types import Leg, Profile

FAULTS = ("fault", "failed")
"""Causes for which something of ours failed, and the parties are well."""
log = logs.get("sip")


class SipCall:
    """One call. Made for an INVITE; everything else is told to it."""

    def __init__(self, house: House, replaced: SipCall | None = None) -> None:
        self.id: UUID = new_id()
        self._replaced = replaced
        """The call whose caller this one's takes the place of: who was transferred to its operator."""
        self._house = house
        self.caller = Dialog(house.config, Leg.CALLER, self)
        self.operator: Dialog | None = None
        self.plain = False
        """Whether the sound is passed on with nothing of ours between, because something failed."""
        self._sound = Sound(house)
        self._offer: Description | None = None
        self._line = Line(Profile.REPORT)
        self._answered = False
        self._admitted = False
        self._over = False

    @property
    def line(self) -> Line:
        """Where it goes."""
        return self._line

    @property
    def media(self) -> dict[Leg, SipConnection]:
        """The sound of each leg that has been agreed on."""
        return self._sound.legs

    def invited(self, req: Any, sip_t: Any) -> Any:
        """The INVITE that begins it."""
        self.caller.invited(req)
        return self.caller.recvRequest(req, sip_t)

    # What the dialogs tell.

    def event(self, leg: Leg, event: Any) -> None:
        if (
            isinstance(event, (CCEventDisconnect, CCEventRedirect, CCEventFail))
            and leg is Leg.OPERATOR
            and not self._answered
        ):
            self._refused(event)
        elif isinstance(event, CCEventDisconnect):
            self._gone(leg)
        elif isinstance(event, CCEventTry):
            self._house.spawn(self._set_up(event))
        elif isinstance(event, CCEventRing):
            self._rings(*event.getData())
        elif isinstance(event, CCEventConnect):
            code, _, content = event.getData()
            if self._admitted or self.plain:
                self._answered_anew(leg, content)
            elif leg is Leg.OPERATOR:
                self._accepted(content)
            elif code == "ACK":
                self._answer_came(content)
        # A re-INVITE of ours that failed changes nothing.

    async def _set_up(self, event: Any) -> None:
        _, calling, called, content, _, name = event.getData()
        self._line = self._replaced.line if self._replaced else self._house.line(str(called or ""))
        try:
            self._sound.spoken = self._house.board.policy(self._line.profile).codecs
            if content is not None:
                self._offer = self._sound.read(content)
            await self._sound.bind(Leg.CALLER)
            if self._line.host:
                await self._sound.bind(Leg.OPERATOR)
        except BadOffer as error:
            self._fail(488, "Not Acceptable Here", type(error).__name__)
            return
        except NodeFull as error:
            self._fail(503, "Service Unavailable", type(error).__name__, 5)
            return
        except Exception as error:  # whatever it is, the caller must not wait for ever
            log.error("sip_set_up_failed", call=str(self.id), error=type(error).__name__, exc_info=error)
            self._fail(500, "Server Internal Error", type(error).__name__)
            return
        if self._over:
            self._release()
        elif self._line.host:
            self._call_operator(event, str(calling or ""), str(name or ""))
        else:
            self._wait_for_browser()

    def _call_operator(self, event: Any, calling: str, name: str) -> None:
        house, line = self._house, self._line
        may = offered(self._offer) if self._offer else usual(self._sound.spoken)
        offer = self._sound.offer(Leg.OPERATOR, may)
        if not house.board.policy(line.profile).keep_number:
            calling, name = "anonymous", ""
        dialog = self.operator = Dialog(
            house.config,
            Leg.OPERATOR,
            self,
            nh_address=(line.host, line.port),
            expire_time=house.ring_s,
            username=house.user or None,
            password=house.password or None,
        )
        ask = CCEventTry((SipCallId(), calling or "anonymous", line.user, body(offer), None, name or None))
        if event.max_forwards is not None:
            ask.max_forwards = event.max_forwards - 1
        ask.extra_headers = [
            header("allow", ALLOW),
            header("supported", SUPPORTED),
            header("session-expires", str(house.session_s)),
        ]
        left = self._replaced.operator if self._replaced else None
        if left is not None and left.replaces:
            # Any other telephone rings once more.
            ask.extra_headers.append(header("replaces", str(left.as_replaced)))
        dialog.recvEvent(ask)

    def _wait_for_browser(self) -> None:
        offer = self._offer or self._sound.nobody_yet()
        connection = self._sound.connect(Leg.CALLER, offer, agreed(offer))
        connection.live = self._browser_answered
        connection.bye = self._bye
        try:
            self._house.board.admit(self.id, Leg.CALLER, self._line.profile, connection, self._line.entry)
        except TelephonyError as error:
            self._fail(503, "Service Unavailable", type(error).__name__, 5)
            return
        self._admitted = True
        self.caller.ring(180, "Ringing")

    def _browser_answered(self) -> None:
        self._answered = True
        if self._offer is None:
            # Our turn to offer; the answer comes with the ACK.
            self.caller.answer(self._sound.offer(Leg.CALLER, self.media[Leg.CALLER].stream), offer=True)
        else:
            self.caller.answer(self.described(Leg.CALLER))
        metrics.CALLS.labels("200").inc()

    # The operator's telephone.

    def _rings(self, code: int, reason: str, content: Any) -> None:
        if code == 100 or self._answered:
            return
        description = None
        if content is not None and self._offer is not None:
            with contextlib.suppress(BadOffer):
                self._agree_early(self._sound.read(content))
                description = self.described(Leg.CALLER)
        self.caller.ring(code, reason, description)

    def _agree_early(self, remote: Description) -> None:
        """Sound before the answer: both hear each other, and nothing is worked on or recorded."""
        assert self._offer is not None
        if Leg.OPERATOR in self.media:
            self.media[Leg.OPERATOR].agree(remote)
            return
        stream = answered(remote)
        operator = self._sound.connect(Leg.OPERATOR, remote, stream)
        caller = self._sound.connect(Leg.CALLER, self._offer, agreed(self._offer, stream.codec))
        relay.connect(caller, operator)

    def _accepted(self, content: Any) -> None:
        try:
            remote = self._sound.read(content) if content is not None else None
        except BadOffer:
            remote = None
        if remote is None and Leg.OPERATOR not in self.media:
            self._fail(502, "Bad Gateway", "BadAnswer")
            return
        self._answered = True
        early = self.media.get(Leg.OPERATOR)
        if early and remote and not set(early.codecs.values()) & set(remote.codecs.values()):
            # The telephone changed its mind between ringing and answering.
            self._fail(502, "Bad Gateway", "BadAnswer")
            return
        if early is None and remote is not None:
            self._sound.connect(Leg.OPERATOR, remote, answered(remote))
        elif early and remote:
            early.agree(remote)
        codec = self.media[Leg.OPERATOR].codec
        if self._offer is None:
            self.caller.answer(self._sound.usual_offer(Leg.CALLER, codec), offer=True)
            return
        if Leg.CALLER not in self.media:
            self._sound.connect(Leg.CALLER, self._offer, agreed(self._offer, codec))
        self.caller.answer(self.described(Leg.CALLER))
        self._go_live()

    def _answer_came(self, content: Any) -> None:
        """The caller offered nothing; its answer to our offer came with the ACK."""
        try:
            remote = self._sound.read(content)
            stream = agreed(remote, self.media[Leg.OPERATOR].codec)
            if stream.codec is not self.media[Leg.OPERATOR].codec:
                raise BadOffer("another codec than was offered")
        except BadOffer:
            log.warning("sip_answer_unusable", call=str(self.id))
            self.hang_up()
            return
        self._sound.connect(Leg.CALLER, remote, stream)
        self._go_live()

    def _go_live(self) -> None:
        metrics.CALLS.labels("200").inc()
        if self._replaced is not None:
            self._replaced.hang_up()
        self.media[Leg.OPERATOR].digits = self.media[Leg.CALLER].beside
        for leg, connection in self.media.items():
            connection.bye = self._bye
            try:
                self._house.board.admit(self.id, leg, self._line.profile, connection, self._line.entry)
                self._admitted = True
            except Exception as error:  # the call is more than what we do with it
                log.error("sip_call_not_admitted", call=str(self.id), error=type(error).__name__)
                self._pass_on_plainly()
                return

    # What changes while they talk.

    def described(self, leg: Leg) -> str:
        return self._sound.described(leg)

    def offered_anew(self, leg: Leg, offer: str) -> str | None:
        connection = self.media.get(leg)
        before = connection.remote.direction if connection else None
        answer = self._sound.offered_anew(leg, offer, plain=self.plain or not self._admitted)
        if answer is not None and connection is not None and connection.remote.direction is not before:
            direction = connection.remote.direction
            log.info("sip_direction", call=str(self.id), leg=leg.value, direction=direction.value)
            self._tell_direction(leg)
        return answer

    def _tell_direction(self, leg: Leg) -> None:
        """Who is put on hold is told so, as the telephone at the other end would."""
        theirs = Leg.OPERATOR if leg is Leg.CALLER else Leg.CALLER
        connection, other = self.media.get(theirs), self.media[leg]
        if connection is not None:
            # What holds when it can be said: the party may have taken the call up again by then.
            self._offer_anew(
                theirs, lambda: self._sound.offer(theirs, connection.stream, other.remote.direction)
            )

    def _offer_anew(self, leg: Leg, offer: Callable[[], str]) -> None:
        """Describe our end to a party that we talk with; the answer comes as an event."""
        dialog = self.operator if leg is Leg.OPERATOR else self.caller
        if dialog is not None and dialog.isConnected():
            dialog.offer(offer)

    def _answered_anew(self, leg: Leg, content: Any) -> None:
        """The answer to an offer of ours, while they talk or as a browser has taken the call."""
        connection = self.media.get(leg)
        if connection is None:
            return
        first = connection.remote.port == 0
        if not self._sound.answered_anew(leg, content) and first:
            log.warning("sip_answer_unusable", call=str(self.id))
            self.hang_up()

    def pass_on(self, leg: Leg, request: Any) -> bool:
        other = self.operator if leg is Leg.CALLER else self.caller
        if other is None or not other.isConnected():
            return False
        other.forward(
            request, lambda code, reason: request.sendResponse(code, reason), self._refer_to(request)
        )
        return True

    def _refer_to(self, request: Any) -> str:
        """For a transfer into a call of ours: our address, whatever way the number has come to us; else nothing."""
        text = value(request, "refer-to", "r") or ""
        dialog = referred(text)
        if dialog is None or self._house.named(dialog) is None:
            return ""
        return sent_to(text, *self._house.address)

    # How it ends.

    def _refused(self, event: Any) -> None:
        """The operator's telephone is busy, declines, is elsewhere, or nobody takes it up."""
        data = event.getData()
        code, reason = (480, "Temporarily Unavailable")
        if isinstance(event, CCEventFail) and data:
            code, reason = data[0], data[1]
        if code in (401, 407):
            # What is asked of us is not for the caller to give.
            code, reason = 502, "Bad Gateway"
        self._fail(code, reason, "Refused")

    def _fail(self, code: int, reason: str, why: str, retry_after_s: int = 0) -> None:
        if not self._over:
            log.info("sip_call_failed", call=str(self.id), status=code, why=why)
            metrics.CALLS.labels(str(code)).inc()
            with contextlib.suppress(Exception):
                self.caller.fail(code, reason, retry_after_s)
            self.hang_up()

    def _gone(self, leg: Leg) -> None:
        """This party hung up."""
        connection = self.media.get(leg)
        if self._admitted and not self.plain and connection is not None:
            connection.leave("hangup")
        self.hang_up()

    def _bye(self, cause: str) -> bool:
        """The call around the sound is over: whether the sound goes on nevertheless."""
        if cause in FAULTS and not self._over and self._sound.whole:
            self._pass_on_plainly()
        if not self.plain:
            self.hang_up()
        return self.plain

    def _pass_on_plainly(self) -> None:
        """Something of ours failed: they go on talking, without suppressor and recording."""
        if not self.plain:
            self.plain = True
            log.error("sip_call_goes_on_plain", call=str(self.id))
            metrics.CALLS.labels("plain").inc()
            relay.connect(self.media[Leg.CALLER], self.media[Leg.OPERATOR])
            if not self._sound.alike:
                # Nobody translates any more: the operator is asked to speak what the caller does.
                spoken = self.media[Leg.CALLER].codec
                self._offer_anew(Leg.OPERATOR, lambda: self._sound.usual_offer(Leg.OPERATOR, spoken))

    def hang_up(self) -> None:
        """End what is left of it; may be called again."""
        if self._over:
            return
        self._over = True
        for dialog in (self.caller, self.operator):
            if dialog is not None:
                try:
                    dialog.session.stop()
                    dialog.end()
                except Exception as error:  # the other party must hear of it all the same
                    log.error("sip_hang_up_failed", call=str(self.id), error=type(error).__name__)
        self._release()
        self._house.over(self)

    def _release(self) -> None:
        for connection in self.media.values():
            if self._admitted and not self.plain:
                connection.leave("hangup")
        self._sound.release()
