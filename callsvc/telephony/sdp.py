"""SDP (RFC 8866), as much of it as plain RTP needs; and the check that comes before any other parser sees an offer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from audio import codecs
from audio.codecs import Codec
from audio.errors import UnknownCodec
from callsvc.telephony.errors import BadOffer

MAX_BYTES = 16 * 1024
MAX_LINES = 400
MAX_MEDIA = 4
LINE = re.compile(r"[a-z]=[^\x00-\x08\x0a-\x1f\x7f]*")
PLAIN = "RTP/AVP"
ENCRYPTED = "UDP/TLS/RTP/SAVPF"
STATIC: dict[int, Codec] = {0: codecs.PCMU, 8: codecs.PCMA, 9: codecs.G722}


@dataclass(frozen=True, slots=True)
class Offer:
    """What the audio line of an offer says."""

    protocol: str
    """`RTP/AVP` or `UDP/TLS/RTP/SAVPF`."""
    host: str
    port: int
    codecs: dict[int, Codec]
    """The offered codecs that we speak, by payload type, in the order of the offer."""
    media: tuple[str, ...] = ("",)
    """All media lines in their order, as an answer must echo them; the audio line is empty."""


def parse(body: bytes) -> Offer:
    """Read an offer; raises `BadOffer` for anything that is not one we can answer."""
    lines = _lines(body)
    media = [index for index, line in enumerate(lines) if line.startswith("m=")]
    audio = [index for index in media if lines[index].startswith("m=audio ")]
    if not lines or lines[0] != "v=0" or not media:
        raise BadOffer("not a session description")
    if len(media) > MAX_MEDIA or len(audio) != 1:
        raise BadOffer("exactly one audio line is needed")
    end = next((index for index in media if index > audio[0]), len(lines))
    session, section = lines[: media[0]], lines[audio[0] : end]
    fields = section[0][2:].split()
    if len(fields) < 4 or not fields[1].isdecimal() or not 0 <= int(fields[1]) <= 65535:
        raise BadOffer("the audio line cannot be read")
    protocol = fields[2]
    if protocol not in (PLAIN, ENCRYPTED):
        raise BadOffer(f"offer {ENCRYPTED} or {PLAIN}")
    offered = _codecs(fields[3:], section)
    if not offered:
        raise BadOffer("no codec that is spoken here")
    host = _host(section) or _host(session)
    if protocol == PLAIN:
        host = _address(host, int(fields[1]))
    else:
        _check_encrypted(session + section)
    others = tuple("" if index == audio[0] else refused(lines[index]) for index in media)
    return Offer(protocol, host, int(fields[1]), offered, others)


def preferring(offer: Offer, spoken: Sequence[str]) -> Offer:
    """The offer with these codecs alone, in this order; as it is where none are named. Raises `BadOffer`."""
    if not spoken:
        return offer
    named = {codec.name: number for number, codec in reversed(offer.codecs.items())}
    kept = {named[name]: offer.codecs[named[name]] for name in spoken if name in named}
    if not kept:
        raise BadOffer("no codec that this line speaks")
    return replace(offer, codecs=kept)


def refused(media: str) -> str:
    """The answer's line for a medium that is not wanted (RFC 3264 section 6); raises `BadOffer`."""
    words = media[2:].split()
    if len(words) < 4:
        raise BadOffer("a media line cannot be read")
    return f"m={words[0]} 0 {' '.join(words[2:])}"


def _lines(body: bytes) -> list[str]:
    if len(body) > MAX_BYTES:
        raise BadOffer("too long")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadOffer("not text") from None
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MAX_LINES or not all(LINE.fullmatch(line) for line in lines):
        raise BadOffer("not a session description")
    return lines


def _codecs(numbers: list[str], section: list[str]) -> dict[int, Codec]:
    named: dict[int, str] = {}
    for line in section:
        if found := re.fullmatch(r"a=rtpmap:(\d{1,3}) ([\w.-]{1,40})/(\d{1,6})(?:/\d{1,2})?", line):
            named[int(found[1])] = found[2]
    offered: dict[int, Codec] = {}
    for number in numbers:
        if not number.isdecimal() or int(number) > 127:
            raise BadOffer("a payload type is no number")
        name = named.get(int(number))
        try:
            codec = codecs.by_name(name) if name else STATIC.get(int(number))
        except UnknownCodec:
            continue
        if codec is not None:
            offered[int(number)] = codec
    return offered


def _host(section: list[str]) -> str:
    for line in section:
        if found := re.fullmatch(r"c=IN IP[46] (\S{1,60})", line):
            return found[1]
    return ""


def _address(host: str, port: int) -> str:
    """An address in the one way that the system writes it."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise BadOffer("the address is no IP address") from None
    if port == 0 or address.is_multicast or address.is_unspecified:
        raise BadOffer("nobody can be reached at that address")
    return str(address)


def same_family(one: str, other: str) -> bool:
    """Whether packets can go from one address to the other."""
    return (":" in one) == (":" in other)


def _check_encrypted(lines: list[str]) -> None:
    for name in ("ice-ufrag", "ice-pwd", "fingerprint", "setup"):
        if not any(line.startswith(f"a={name}:") for line in lines):
            raise BadOffer(f"{name} is missing")


def plain(host: str, port: int, offered: dict[int, Codec], session: int, media: Sequence[str] = ("",)) -> str:
    """A description of one plain RTP audio stream: an answer when it names one codec, an offer with several. `media` has an
    empty line where the sound belongs.
    """
    family = "IP6" if ":" in host else "IP4"
    own = [f"m=audio {port} {PLAIN} {' '.join(str(number) for number in offered)}"]
    for number, codec in offered.items():
        channels = "/2" if codec is codecs.OPUS else ""
        own.append(f"a=rtpmap:{number} {codec.name}/{codec.clock_hz}{channels}")
    own += ["a=ptime:20", "a=sendrecv"]
    lines = [
        "v=0",
        f"o=- {session} {session} IN {family} {host}",
        "s=-",
        f"c=IN {family} {host}",
        "t=0 0",
    ]
    for line in media:
        lines += [line] if line else own
    return "\r\n".join(lines) + "\r\n"
