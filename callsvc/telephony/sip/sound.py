"""What the two legs of a call have agreed on: their ports, their codecs, and how each is described to its telephone.

What is agreed on may change while they talk. The line's profile says which codecs may be spoken at all; of those a leg
keeps the one that it has, else takes the other leg's, so that the sound is passed on, else the peer's first: then it is
decoded and encoded between them.
"""

from __future__ import annotations

import secrets

from audio.codecs import PCMA, Codec
from callsvc import logs
from callsvc.telephony.errors import BadOffer
from callsvc.telephony.sdp import same_family
from callsvc.telephony.sip.description import (
    UNASKED,
    Description,
    Direction,
    Stream,
    agreed,
    build,
    parse,
    spoken_on,
    usual,
)
from callsvc.telephony.sip.line import House
from callsvc.telephony.sip.media import Pair, SipConnection, introduce
from callsvc.types import Leg

log = logs.get("sip")


class Sound:
    """The sound of one call, as its dialogs see it."""

    def __init__(self, house: House) -> None:
        self.legs: dict[Leg, SipConnection] = {}
        self.spoken: tuple[str, ...] = ()
        """Codecs that the line speaks, the preferred first; empty: what the peers prefer."""
        self._house = house
        self._pairs: dict[Leg, Pair] = {}
        self._session = (secrets.randbits(31), 1)

    async def bind(self, leg: Leg) -> None:
        """Take ports for a leg; raises `NodeFull`."""
        self._pairs[leg] = await self._house.pairs.bind()

    def read(self, content: object) -> Description:
        """What a peer says of its sound, as far as this line speaks it; raises `BadOffer`."""
        found = parse(str(content) if content is not None else "")
        if found.direction is not Direction.NONE and not same_family(found.host, self._house.pairs.host):
            raise BadOffer("the node has no address of that family")
        return spoken_on(found, self.spoken)

    def connect(self, leg: Leg, remote: Description, stream: Stream) -> SipConnection:
        """A leg's sound was agreed on."""
        made = self.legs[leg] = SipConnection(leg, self._pairs[leg], remote, stream, self._house.clock)
        self._introduce()
        return made

    def nobody_yet(self) -> Description:
        """A caller whose INVITE said nothing of sound, until the ACK does: what every telephone speaks, sent to nobody."""
        of = spoken_on(UNASKED, self.spoken)
        every = [number for number, codec in of.codecs.items() if codec is PCMA]
        number = every[0] if every else next(iter(of.codecs))
        return Description("", 0, {number: of.codecs[number]}, of.events, True, Direction.NONE)

    @property
    def whole(self) -> bool:
        """Whether both legs are there."""
        return len(self.legs) == len(Leg)

    @property
    def alike(self) -> bool:
        """Whether both legs speak the same codec."""
        return self.whole and self.legs[Leg.CALLER].codec is self.legs[Leg.OPERATOR].codec

    def _introduce(self) -> None:
        if self.whole:
            for leg, connection in self.legs.items():
                introduce(self.legs[_other(leg)], connection)

    # What is said of our end.

    def offer(self, leg: Leg, stream: Stream, direction: Direction = Direction.BOTH) -> str:
        """Our end of a leg, with all that may be spoken on it."""
        host, port = self._pairs[leg].local
        return build(host, port, stream, self._session, direction)

    def usual_offer(self, leg: Leg, codec: Codec) -> str:
        """Our end of a leg whose peer has offered nothing, with one codec."""
        return self.offer(leg, usual(self.spoken).only(codec))

    def described(self, leg: Leg) -> str:
        """Our end of a leg, as it is agreed on."""
        connection = self.legs[leg]
        host, port = connection.local
        media = connection.remote.media
        return build(host, port, connection.stream, self._session, connection.direction, media)

    # What changes while they talk.

    def offered_anew(self, leg: Leg, offer: str, *, plain: bool) -> str | None:
        """The peer describes itself anew: our answer, or None when it cannot be. `plain`: nothing of ours lies between the
        legs, which must go on to speak the same."""
        connection = self.legs.get(leg)
        if connection is None:
            return None
        try:
            remote = self.read(offer)
            stream = self._chosen(leg, connection, remote, plain=plain)
        except BadOffer:
            return None
        self._session = (self._session[0], self._session[1] + 1)
        connection.agree(remote, stream)
        self._introduce()
        return self.described(leg)

    def _chosen(self, leg: Leg, connection: SipConnection, remote: Description, *, plain: bool) -> Stream:
        other = self.legs.get(_other(leg))
        wanted = [connection.codec, other.codec if other else connection.codec]
        for codec in reversed(wanted) if plain else wanted:
            if codec in remote.codecs.values():
                return agreed(remote, codec)
        if plain:
            raise BadOffer("nobody could translate")
        return agreed(remote)

    def answered_anew(self, leg: Leg, content: object) -> bool:
        """The answer to an offer of ours came, while they talk or as a browser has taken the call; whether it can be used."""
        connection = self.legs[leg]
        try:
            remote = self.read(content)
        except BadOffer:
            return False
        if connection.remote.port == 0 and connection.codec not in remote.codecs.values():
            return False
        connection.agree(remote, agreed(remote, connection.codec))
        self._introduce()
        return True

    def release(self) -> None:
        """Let everything go."""
        for connection in self.legs.values():
            connection.release()
        for pair in self._pairs.values():
            pair.close()


def _other(leg: Leg) -> Leg:
    return Leg.OPERATOR if leg is Leg.CALLER else Leg.CALLER
