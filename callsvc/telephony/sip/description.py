"""SDP between telephones (RFC 8866, RFC 3264): one audio stream in the clear, with digits and comfort noise beside it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from audio import codecs
from audio.codecs import Codec
from audio.errors import UnknownCodec
from callsvc.telephony import sdp
from callsvc.telephony.errors import BadOffer

PLAIN = "RTP/AVP"
EVENTS = "telephone-event"
COMFORT_NOISE = 13
"""Its static payload type (RFC 3389)."""
USUAL: dict[int, Codec] = {8: codecs.PCMA, 9: codecs.G722, 0: codecs.PCMU, 96: codecs.OPUS}
"""What is offered to somebody who offered nothing."""
USUAL_EVENTS = 101
RTPMAP = re.compile(r"a=rtpmap:(\d{1,3}) ([\w.-]{1,40})/(\d{1,6})(?:/\d{1,2})?")
RTCP = re.compile(r"a=rtcp:(\d{1,5})(?: .*)?")


class Direction(StrEnum):
    """Who sends, seen from the one who says it."""

    BOTH = "sendrecv"
    SENDS = "sendonly"
    HEARS = "recvonly"
    NONE = "inactive"

    @property
    def mirrored(self) -> Direction:
        """The same, seen from the other side."""
        return {Direction.SENDS: Direction.HEARS, Direction.HEARS: Direction.SENDS}.get(self, self)

    @property
    def sends(self) -> bool:
        return self in (Direction.BOTH, Direction.SENDS)

    @property
    def hears(self) -> bool:
        return self in (Direction.BOTH, Direction.HEARS)


@dataclass(frozen=True, slots=True)
class Description:
    """What a peer says of its sound."""

    host: str
    port: int
    codecs: dict[int, Codec]
    """Those that we speak, by payload type, in the peer's order."""
    events: dict[int, int] = field(default_factory=dict)
    """Payload types of digits (RFC 4733), and the clock of each."""
    comfort_noise: bool = False
    direction: Direction = Direction.BOTH
    rtcp_port: int = 0
    media: tuple[str, ...] = ()
    """All media lines in their order, as an answer must echo them; the one that is meant here is empty."""


UNASKED = Description("", 0, USUAL, {USUAL_EVENTS: 8000}, True, Direction.NONE)
"""Somebody who said nothing of sound, and is sent none yet."""


def parse(body: str) -> Description:
    """Read a description; raises `BadOffer` for anything that cannot be answered, encrypted sound among it."""
    if len(body) > sdp.MAX_BYTES:
        raise BadOffer("too long")
    lines = body.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > sdp.MAX_LINES or not all(sdp.LINE.fullmatch(line) for line in lines) or lines[0] != "v=0":
        raise BadOffer("not a session description")
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    if not 0 < len(starts) <= sdp.MAX_MEDIA:
        raise BadOffer("no media line, or too many")
    sections = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    session = lines[: starts[0]]
    for section in sections:
        words = section[0][2:].split()
        if len(words) >= 4 and words[0] == "audio" and words[2] == PLAIN and words[1].isdecimal():
            if not 0 < int(words[1]) <= 65_535:
                continue
            others = tuple("" if one is section else sdp.refused(one[0]) for one in sections)
            return _audio(session, section, int(words[1]), words[3:], others)
    raise BadOffer(f"one audio stream by {PLAIN} is needed")


def _audio(
    session: list[str], section: list[str], port: int, numbers: list[str], media: tuple[str, ...]
) -> Description:
    named = {
        int(found[1]): (found[2], int(found[3])) for line in section if (found := RTPMAP.fullmatch(line))
    }
    spoken: dict[int, Codec] = {}
    events: dict[int, int] = {}
    noise = False
    for word in numbers:
        if not word.isdecimal() or int(word) > 127:
            raise BadOffer("a payload type is no number")
        number = int(word)
        name, clock = named.get(number, ("", 0))
        if name.lower() == EVENTS:
            events[number] = clock
        elif number == COMFORT_NOISE:
            noise = True
        else:
            try:
                codec = codecs.by_name(name) if name else sdp.STATIC.get(number)
            except UnknownCodec:
                continue
            if codec is not None and (not name or clock == codec.clock_hz):
                spoken[number] = codec
    if not spoken:
        raise BadOffer("no codec that is spoken here")
    address = _address(_host(section) or _host(session))
    direction = _direction(section) or _direction(session) or Direction.BOTH
    if address.is_unspecified:
        # The old way to say hold (RFC 2543).
        direction = Direction.NONE
    rtcp = next((int(found[1]) for line in section if (found := RTCP.fullmatch(line))), port + 1)
    return Description(
        str(address), port, spoken, events, noise, direction, rtcp if rtcp <= 65_535 else 0, media
    )


def _host(section: list[str]) -> str:
    for line in section:
        if found := re.fullmatch(r"c=IN IP[46] (\S{1,60})", line):
            return found[1].partition("/")[0]
    return ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address, for one may be written in several ways, and is known by its packets."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise BadOffer("the address is no IP address") from None
    if address.is_multicast:
        raise BadOffer("nobody can be reached at that address")
    return address


def _direction(section: list[str]) -> Direction | None:
    for line in section:
        if line.startswith("a=") and line[2:] in list(Direction):
            return Direction(line[2:])
    return None


@dataclass(frozen=True, slots=True)
class Stream:
    """What a stream is agreed to be, under the numbers of one leg."""

    codecs: Mapping[int, Codec]
    events: Mapping[int, int] = field(default_factory=dict)
    """Payload types of digits, and the clock of each."""
    comfort_noise: bool = False

    @property
    def codec(self) -> Codec:
        """The first one: what is sent."""
        return next(iter(self.codecs.values()))

    @property
    def digits(self) -> int | None:
        """Under which number digits come beside the codec."""
        return next((number for number, clock in self.events.items() if clock == self.codec.clock_hz), None)

    def only(self, codec: Codec) -> Stream:
        """The same with one codec left, and what fits it."""
        kept = {number: one for number, one in self.codecs.items() if one is codec}
        events = {number: clock for number, clock in self.events.items() if clock == codec.clock_hz}
        return Stream(kept, events, self.comfort_noise and codec.clock_hz == codecs.PCMA.clock_hz)


def agreed(of: Description, wanted: Codec | None = None) -> Stream:
    """One codec out of a description, `wanted` if it is in it, else the peer's first, and what fits beside it."""
    spoken = list(of.codecs.values())
    whole = Stream(of.codecs, of.events, of.comfort_noise)
    return whole.only(wanted if wanted in spoken and wanted is not None else spoken[0])


def answered(of: Description) -> Stream:
    """What an answer to an offer of ours agrees on: whoever names several codecs may send any of them (RFC 3264 section
    6.1); what is sent there is the first."""
    first = agreed(of)
    return Stream(of.codecs, first.events, first.comfort_noise)


def spoken_on(of: Description, names: Sequence[str]) -> Description:
    """The description with these codecs alone, in this order; as it is where none are named. Raises `BadOffer`."""
    if not names:
        return of
    kept = {number: codec for name in names for number, codec in of.codecs.items() if codec.name == name}
    if not kept:
        raise BadOffer("no codec that this line speaks")
    return replace(of, codecs=kept)


def usual(names: Sequence[str]) -> Stream:
    """What is offered to somebody who offered nothing, on a line with these codecs."""
    return offered(spoken_on(UNASKED, names))


def offered(first: Description) -> Stream:
    """What is offered to one party, given what the other one offered: the same, under the same numbers."""
    events = first.events or {_free(first): 8000}
    return Stream(first.codecs, events, first.comfort_noise)


def _free(of: Description) -> int:
    return next(number for number in range(USUAL_EVENTS, 96, -1) if number not in of.codecs)


def build(
    host: str,
    port: int,
    stream: Stream,
    session: tuple[int, int],
    direction: Direction = Direction.BOTH,
    media: Sequence[str] = ("",),
) -> str:
    """A description of our end. `session` is its id and version; `media` has an empty line where the sound belongs."""
    family = "IP6" if ":" in host else "IP4"
    numbers = [*stream.codecs]
    maps = []
    for number, codec in stream.codecs.items():
        channels = "/2" if codec is codecs.OPUS else ""
        maps.append(f"a=rtpmap:{number} {codec.name}/{codec.clock_hz}{channels}")
    if stream.comfort_noise:
        numbers.append(COMFORT_NOISE)
        maps.append(f"a=rtpmap:{COMFORT_NOISE} CN/8000")
    for number, clock in stream.events.items():
        numbers.append(number)
        maps += [f"a=rtpmap:{number} {EVENTS}/{clock}", f"a=fmtp:{number} 0-16"]
    own = [
        f"m=audio {port} {PLAIN} {' '.join(str(number) for number in numbers)}",
        *maps,
        "a=ptime:20",
        f"a={direction.value}",
    ]
    lines = [
        "v=0",
        f"o=- {session[0]} {session[1]} IN {family} {host}",
        "s=-",
        f"c=IN {family} {host}",
        "t=0 0",
    ]
    for line in media or ("",):
        lines += [line] if line else own
    return "\r\n".join(lines) + "\r\n"
