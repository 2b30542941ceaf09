"""One dialog: sippy's user agent, with what it leaves to do. Within a dialog it hangs up on REFER, takes a re-INVITE
without a body for hold, and answers neither UPDATE nor NOTIFY; here the owner is asked.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Protocol

from sippy.CCEvents import (
    CCEventConnect,
    CCEventDisconnect,
    CCEventFail,
    CCEventPreConnect,
    CCEventRing,
    CCEventUpdate,
)
from sippy.MsgBody import MsgBody
from sippy.SipAddress import SipAddress
from sippy.SipContact import SipContact
from sippy.SipContentType import SipContentType
from sippy.SipURL import SipURL
from sippy.Time.Timeout import Timeout
from sippy.UA import UA
from sippy.UaStateConnected import UaStateConnected

from callsvc import logs
from callsvc.telephony.sip.replaces import Replaces
from callsvc.telephony.sip.session import (
    LEAST_S,
    SUPPORTED,
    SessionTimer,
    Terms,
    header,
    lacking,
    least_of,
    terms_of,
    value,
)
from callsvc.types import Leg

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REFER, NOTIFY, MESSAGE"
PASSED = ("REFER", "NOTIFY", "INFO", "MESSAGE")
COPIED = ("refer-to", "referred-by", "refer-sub", "event", "subscription-state", "info-package")
"""Headers that go along with a request that is passed on."""
AGAIN_S = {Leg.CALLER: (0.0, 2.0), Leg.OPERATOR: (2.1, 4.0)}
"""After how long an offer is made again that met one of the peer's (RFC 3261 section 14.1): who began the dialog waits
longer."""
TRIES = 5
log = logs.get("sip")


class Owner(Protocol):
    """What a dialog asks the call that it belongs to."""

    def event(self, leg: Leg, event: Any) -> None:
        """Something happened, in sippy's words."""

    def offered_anew(self, leg: Leg, offer: str) -> str | None:
        """The peer describes itself anew: our answer, or None when it cannot be."""

    def described(self, leg: Leg) -> str:
        """Our end, to be offered to the peer."""

    def pass_on(self, leg: Leg, request: Any) -> bool:
        """A request for the other party; whether it is on its way."""


def body(description: str) -> Any:
    """A description as sippy's body."""
    return MsgBody(description)


def _supports(message: Any, extension: str) -> bool:
    named = (value(message, "supported", "k") or "").split(",")
    return extension in (one.strip() for one in named)


class Connected(UaStateConnected):  # type: ignore[misc]  # sippy has no types
    """The state in which both have agreed."""

    def recvRequest(self, req: Any) -> Any:  # noqa: N802  sippy's name
        method = req.getMethod()
        missing = lacking(req)
        if missing and method not in ("ACK", "BYE"):
            self._say(req, 420, "Bad Extension", unsupported=", ".join(missing))
            return None
        if method == "INVITE":
            return self._again(req)
        if method == "UPDATE":
            return self._update(req)
        if method in PASSED:
            if self.ua.owner.pass_on(self.ua.leg, req):
                self.ua.deferred = True
            else:
                self._say(req, 405, "Method Not Allowed", allow=ALLOW)
            return None
        if method == "OPTIONS":
            self._say(req, 200, "OK", allow=ALLOW, accept="application/sdp", supported=SUPPORTED)
            return None
        if method not in self.recv_request_handlers:
            self._say(req, 405, "Method Not Allowed", allow=ALLOW)
            return None
        return super().recvRequest(req)

    def _say(self, req: Any, code: int, reason: str, **headers: str) -> None:
        resp = req.genResponse(code, reason, server=self.ua.local_ua)
        resp.appendHeaders([header(name, text) for name, text in headers.items()])
        self.ua.global_config["_sip_tm"].sendResponse(resp)

    def _again(self, req: Any) -> None:
        ua = self.ua
        ua.refreshed_by(req)
        ua.uasResp = req.genResponse(100, "Trying", server=ua.local_ua)
        ua.global_config["_sip_tm"].sendResponse(ua.uasResp)
        offer = req.getBody()
        if offer is None:
            # Our turn to offer; the answer comes with the ACK.
            ua.lSDP = body(ua.owner.described(ua.leg))
            ua.sendUasResponse(200, "OK", ua.lSDP, (ua.lContact,), ua.session_headers(), ack_wait=True)
            return
        answer = ua.owner.offered_anew(ua.leg, str(offer))
        if answer is None:
            ua.sendUasResponse(488, "Not Acceptable Here")
            return
        ua.rSDP, ua.lSDP = offer.getCopy(), body(answer)
        ua.sendUasResponse(200, "OK", ua.lSDP, (ua.lContact,), ua.session_headers())

    def _update(self, req: Any) -> None:
        ua = self.ua
        ua.refreshed_by(req)
        resp = req.genResponse(200, "OK", server=ua.local_ua)
        if (offer := req.getBody()) is not None:
            answer = ua.owner.offered_anew(ua.leg, str(offer))
            if answer is None:
                req.sendResponse(488, "Not Acceptable Here")
                return
            ua.rSDP, ua.lSDP = offer.getCopy(), body(answer)
            resp.setBody(ua.lSDP)
        resp.appendHeaders(ua.session_headers() or [])
        ua.global_config["_sip_tm"].sendResponse(resp)


class Dialog(UA):  # type: ignore[misc]  # sippy has no types
    """One party's dialog with us."""

    UaStateConnected = Connected

    def __init__(self, config: dict[str, Any], leg: Leg, owner: Owner, **more: Any) -> None:
        super().__init__(config, event_cb=self._event, **more)
        # sippy's own would be called "Anonymous".
        self.lContact = SipContact(address=SipAddress(url=SipURL(username="callsvc")))
        self.leg = leg
        self.owner = owner
        self.deferred = False
        """Whether the request at hand is answered later."""
        self.session = SessionTimer(self._refresh, self._expired)
        self._require_timer = False
        self._least_s = 0
        """The shortest session that the peer takes, where it has said so."""
        self.replaces = False
        """Whether the peer can take an INVITE in place of this dialog."""
        self._wished: Callable[[], str] | None = None
        """What is to be offered as soon as the peer can take it."""
        self._offered: Callable[[], str] | None = None
        """What was offered last, and is not answered."""
        self._tries = 0
        self._later: Any = None
        self._before: Any = None
        """Our end as it was agreed on before that offer."""

    def _event(self, event: Any, _ua: Any) -> None:
        if isinstance(event, CCEventFail) and self._offered and isinstance(self.state, Connected):
            self._not_taken(event)
        elif isinstance(event, CCEventConnect):
            self._offered, self._tries = None, 0
        self.owner.event(self.leg, event)
        if self._later is None:
            self._offer()

    # What comes in.

    def recvRequest(self, req: Any, sip_t: Any) -> Any:  # noqa: N802  sippy's name
        self.deferred = False
        state, method = self.state, req.getMethod()
        if (
            state is not None
            and not isinstance(state, Connected)
            and method not in ("INVITE", "BYE", "CANCEL", "ACK")
        ):
            return req.genResponse(491, "Request Pending", server=self.local_ua), None, None
        answer = super().recvRequest(req, sip_t)
        return (None, None, None) if answer is None and self.deferred else answer

    def recvResponse(self, resp: Any, tr: Any) -> None:  # noqa: N802  sippy's name
        code, _ = resp.getSCode()
        cseq, method = resp.getHFBody("cseq").getCSeq()
        if method == "INVITE":
            if 200 <= code < 300:
                self.session.agree(terms_of(resp), "uac")
                self.replaces = _supports(resp, "replaces")
            elif code == 422 and cseq in self.reqs and self._asked_too_little(resp):
                self._ask_again(cseq, tr)
                return
        super().recvResponse(resp, tr)

    def _asked_too_little(self, resp: Any) -> bool:
        """422: whether to ask again, for what the peer takes; once for each least that it names, and not when we gave up."""
        asking = (self.UacStateTrying, self.UacStateRinging, self.UacStateUpdating, Connected)
        if not isinstance(self.state, asking):
            return False
        before, self._least_s = self._least_s, max(self._least_s, least_of(resp))
        return self._least_s > before

    def _ask_again(self, cseq: int, tr: Any) -> None:
        """The INVITE that was refused, for a longer session."""
        refused = self.reqs.pop(cseq)
        kept = [one for one in tr.req_extra_headers or () if one.name not in ("session-expires", "min-se")]
        headers = [*kept, header("session-expires", str(self._least_s)), header("min-se", str(self._least_s))]
        hops = refused.getHFBody("max-forwards").getNum()
        request = self.genRequest("INVITE", self.lSDP, extra_headers=headers, max_forwards=hops)
        self.newUacTransaction(request, req_extra_headers=headers)

    # Its names.

    @property
    def as_replaced(self) -> Replaces:
        """This dialog, as its peer calls it."""
        return Replaces(str(self.cId), str(self.rUri.getTag()), str(self.lUri.getTag()))

    def is_named(self, by: Replaces) -> bool:
        """Whether a peer means this dialog, in which both have agreed."""
        if not self.isConnected():
            return False
        return (by.call_id, by.from_tag, by.to_tag) == (
            str(self.cId),
            self.rUri.getTag(),
            self.lUri.getTag(),
        )

    # The session.

    def invited(self, req: Any) -> None:
        """Take note of what the peer's first INVITE wishes."""
        terms = terms_of(req)
        self.replaces = _supports(req, "replaces")
        if terms is not None:
            supported = _supports(req, "timer")
            self._require_timer = supported
            # Who can refresh does so; a peer that cannot leaves it to us.
            self.session.agree(
                Terms(terms.seconds, terms.refresher or ("uac" if supported else "uas")), "uas"
            )

    def refreshed_by(self, req: Any) -> None:
        """The peer sent a re-INVITE or an UPDATE."""
        if (terms := terms_of(req)) is not None and terms.seconds >= LEAST_S:
            self.session.agree(Terms(terms.seconds, terms.refresher or "uac"), "uas")
        else:
            self.session.refreshed()

    def session_headers(self) -> list[Any] | None:
        """What our 200 says of the session."""
        headers = [header("allow", ALLOW), header("supported", SUPPORTED)]
        if terms := self.session.terms:
            headers.append(header("session-expires", f"{terms.seconds};refresher={terms.refresher or 'uas'}"))
            if self._require_timer and terms.refresher == "uac":
                headers.append(header("require", "timer"))
        return headers

    def _refresh(self) -> None:
        if self.session.terms is None or not self.isConnected():
            return
        if not isinstance(self.state, Connected) or self.lSDP is None:
            self.session.try_again()
            return
        seconds = max(self.session.terms.seconds, self._least_s)
        headers = [header("session-expires", f"{seconds};refresher=uac"), header("supported", SUPPORTED)]
        if self._least_s:
            headers.append(header("min-se", str(self._least_s)))
        req = self.genRequest("INVITE", self.lSDP, extra_headers=headers)
        self.newTransaction(req, resp_cb=self._refreshed)

    def _refreshed(self, resp: Any) -> None:
        code, _ = resp.getSCode()
        if 200 <= code < 300:
            self.session.agree(terms_of(resp) or self.session.terms, "uac")
        elif code == 422 and self._asked_too_little(resp):
            self._refresh()
        elif code in (408, 481):
            self._expired()
        elif code >= 300:
            self.session.try_again()

    def _expired(self) -> None:
        log.warning("sip_session_expired", leg=self.leg.value)
        self.session.stop()
        self.disconnect()

    # What is said.

    def offer(self, description: Callable[[], str]) -> None:
        """Describe our end anew while we talk, as soon as what was offered before is answered. It is asked for when it is
        sent; the answer comes as an event.
        """
        self._wished, self._tries = description, 0
        self._offer()

    def _offer(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._wished is None or not isinstance(self.state, Connected) or self.lSDP is None:
            return
        self._offered, self._wished = self._wished, None
        self._before = self.lSDP
        self._tries += 1
        event = CCEventUpdate(body(self._offered()))
        if self.session.terms is not None:
            event.extra_headers = [
                header("session-expires", self.session.wished),
                header("supported", SUPPORTED),
            ]
        try:
            self.recvEvent(event)
        except Exception as error:  # they talk on as they did
            log.warning("sip_offer_not_made", leg=self.leg.value, error=type(error).__name__)

    def _not_taken(self, event: Any) -> None:
        """The peer refused an offer: what was agreed on holds. One that met an offer of the peer's is made again."""
        refused, self._offered = self._offered, None
        # sippy forgets it; without it nothing could be offered any more, and no session be refreshed.
        self.lSDP = self._before
        code = (event.getData() or (0,))[0]
        if code in (491, 500) and self._tries < TRIES:
            self._wished = self._wished or refused
            self._later = Timeout(self._offer, random.uniform(*AGAIN_S[self.leg]))

    def ring(self, code: int, reason: str, description: str | None = None) -> None:
        """The other party's telephone rings, or sends sound before it answers."""
        self.recvEvent(CCEventRing((code, reason, body(description) if description else None)))

    def answer(self, description: str, *, offer: bool = False) -> None:
        """200: with our answer, or with our offer when the INVITE brought none."""
        event = (CCEventPreConnect if offer else CCEventConnect)((200, "OK", body(description)))
        event.extra_headers = self.session_headers()
        self.recvEvent(event)

    def fail(self, code: int, reason: str, retry_after_s: int = 0) -> None:
        """The call cannot be."""
        event = CCEventFail((code, reason))
        if retry_after_s:
            event.extra_headers = [header("retry-after", str(retry_after_s))]
        self.recvEvent(event)

    def end(self) -> None:
        """BYE, CANCEL or 480, whichever it takes."""
        self.session.stop()
        if self._later is not None:
            self._later.cancel()
        if self.leg is Leg.CALLER and not self.isConnected():
            self.fail(480, "Temporarily Unavailable")
        else:
            self.recvEvent(CCEventDisconnect())

    def forward(self, req: Any, answered: Any, refer_to: str = "") -> None:
        """Pass a request of the other party's on; `answered(code, reason)` is told how it went. `refer_to`: in place of its."""
        along = [
            one.getCopy()
            for name in COPIED
            for one in req.getHFs(name)
            if not (refer_to and name == "refer-to")
        ]
        along += [header("refer-to", refer_to)] if refer_to else []
        content = req.getBody()
        if content is not None:
            kind = content.mtype.getCopy() if isinstance(content.mtype, SipContentType) else content.mtype
            content = MsgBody(content.localStr(), kind)
        new = self.genRequest(req.getMethod(), content, extra_headers=along)

        def came(resp: Any) -> None:
            code, reason = resp.getSCode()
            if code >= 200:
                answered(code, reason)

        self.newTransaction(new, resp_cb=came)
