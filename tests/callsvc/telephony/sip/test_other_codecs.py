"""A telephone goes over to another codec in the middle of a call, and a line speaks only what its profile allows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import correlate

from audio.codecs import G722, OPUS, PCMA, PCMU, Codec
from audio.resample import rounded, whole
from audio.rtp import Packet
from audio.taps import Samples
from callsvc.types import CallState, Leg, Profile
from tests.callsvc.telephony.sip.conftest import House
from tests.support.legs import Tapes
from tests.support.packets import FRAME_S, babble, payloads
from tests.support.sip import sdp
from tests.support.telephone import Message

pytestmark = pytest.mark.call

NUMBERS: Mapping[Codec, int] = {PCMA: 8, PCMU: 0, G722: 9, OPUS: 96}
SPOKEN_S = 0.5


class Talk:
    """A call of two telephones that say and hear any codec."""

    def __init__(self, house: House, ports: Mapping[Leg, int]) -> None:
        self.house = house
        self.ports = ports
        self.phones = {Leg.CALLER: house.caller, Leg.OPERATOR: house.operator}
        self.spoken: dict[Leg, Codec] = dict.fromkeys(Leg, PCMA)
        self._sequence = dict.fromkeys(Leg, 0)
        self._began = asyncio.get_running_loop().time()

    async def offer(self, leg: Leg, method: str, body: str) -> Message:
        """A telephone describes itself anew; what the node says to that."""
        phone = self.phones[leg]
        say = phone.request if leg is Leg.CALLER else phone.send_as_called
        say(method, body=body)
        answer = await phone.hear("SIP/2.0 200", "SIP/2.0 4")
        while not answer.get("CSeq").startswith(f"{phone.cseq} "):  # a busy node says an earlier one again
            answer = await phone.hear("SIP/2.0 200", "SIP/2.0 4")
        if method == "INVITE":
            say("ACK")
        return answer

    async def go_over(self, leg: Leg, codec: Codec, method: str = "INVITE") -> None:
        """A telephone speaks this from now on, and digits on its clock."""
        number = NUMBERS[codec]
        maps = [f"a=rtpmap:{number} {codec.name}/{codec.clock_hz}{'/2' * (codec is OPUS)}"]
        maps.append(f"a=rtpmap:101 telephone-event/{codec.clock_hz}")
        answer = await self.offer(leg, method, sdp(self.phones[leg].rtp_port, (number, 101), *maps))
        assert f" RTP/AVP {number} 101\r\n" in answer.body
        assert answer.rtp_port == self.ports[leg]
        self.spoken[leg] = codec

    async def say(self, leg: Leg, frames: list[bytes]) -> None:
        """Frames of what this telephone speaks now, in step."""
        codec, loop = self.spoken[leg], asyncio.get_running_loop()
        began = loop.time()
        for index, frame in enumerate(frames):
            at = began + index * FRAME_S
            timestamp = round((at - self._began) * codec.clock_hz)
            sequence = self._sequence[leg] = self._sequence[leg] + 1
            self.phones[leg].say(self.ports[leg], Packet(NUMBERS[codec], sequence, timestamp, 7, frame))
            await asyncio.sleep(max(0.0, at + FRAME_S - loop.time()))

    async def passes(self, giver: Leg, taker: Leg, seed: int) -> None:
        """The giver says something, and the taker hears it, whatever each of them speaks."""
        spoken, heard = self.spoken[giver], self.spoken[taker]
        frames = payloads(at_rate(babble(8000, SPOKEN_S, seed), 8000, spoken.rate_hz), spoken)
        await self.say(giver, frames)
        await asyncio.sleep(0.15)
        came: list[Packet] = []
        while len(came) < len(frames) - 4 or not self.phones[taker].silent():
            came.append(await self.phones[taker].sound((NUMBERS[heard],)))
        decoder = heard.decoder()
        sound = np.concatenate([decoder.decode(packet.payload) for packet in came])
        assert found(at_rate(sound, heard.rate_hz, 8000), babble(8000, SPOKEN_S, seed)) > 0.7
        if giver is Leg.CALLER and spoken is heard:
            assert [packet.payload for packet in came][-len(frames) :] == frames

    async def presses(self, giver: Leg, taker: Leg) -> None:
        """A digit reaches the other telephone, on its own clock."""
        clock_hz = self.spoken[giver].clock_hz
        self._sequence[giver] += 1
        length = (clock_hz // 10).to_bytes(2, "big")
        at = round((asyncio.get_running_loop().time() - self._began) * clock_hz)
        digit = Packet(101, self._sequence[giver], at, 7, b"\x05\x8a" + length, marker=True)
        self.phones[giver].say(self.ports[giver], digit)
        there = (await self.phones[taker].sound((101,))).payload
        assert there == b"\x05\x8a" + (self.spoken[taker].clock_hz // 10).to_bytes(2, "big")


def at_rate(sound: Samples, from_hz: int, to_hz: int) -> Samples:
    return rounded(whole(sound.astype(np.float32), from_hz, to_hz))


def found(heard: Samples, said: Samples) -> float:
    """How well 0.15 s of what was said are found again, 0 to 1: the best of several, as a busy machine plays frames late.
    Both at 8 kHz."""
    there, best = heard.astype(float), 0.0
    powers = np.convolve(there**2, np.ones(1200), "valid")
    for start in range(0, len(said) - 1200, 800):
        part = said[start : start + 1200].astype(float)
        cross = np.abs(correlate(there, part, "valid"))
        best = max(best, float((cross / np.sqrt(np.sum(part**2) * powers + 1e-9)).max()))
    return best


async def talk(house: House) -> Talk:
    invite, answer = await house.talking()
    await house.until(lambda: [call.state for call in house.board.calls.values()] == [CallState.LIVE])
    return Talk(house, {Leg.CALLER: answer.rtp_port, Leg.OPERATOR: invite.rtp_port})


@pytest.mark.parametrize(
    ("who", "codec", "method"), [(Leg.OPERATOR, PCMU, "INVITE"), (Leg.CALLER, OPUS, "UPDATE")]
)
async def test_a_telephone_goes_over_to_another_codec_and_back_and_its_track_goes_on(
    house: House, who: Leg, codec: Codec, method: str
) -> None:
    tapes = Tapes()
    house.board._parts = replace(house.board._parts, recording=tapes)
    talking = await talk(house)
    (call,) = house.board.calls.values()
    await talking.go_over(who, codec, method)
    await talking.passes(Leg.CALLER, Leg.OPERATOR, 2)
    await talking.passes(Leg.OPERATOR, Leg.CALLER, 3)
    await talking.presses(Leg.CALLER, Leg.OPERATOR)
    await talking.presses(Leg.OPERATOR, Leg.CALLER)

    await talking.go_over(who, PCMA)
    await talking.passes(Leg.CALLER, Leg.OPERATOR, 4)
    call.end("hangup")
    track = tapes.notebooks["caller.rx"]
    assert track.whole
    for seed in (2, 4):
        assert found(track.sound, babble(8000, SPOKEN_S, seed)) > 0.8


async def test_a_codec_is_changed_to_what_the_other_speaks_and_kept_where_it_may_be(house: House) -> None:
    talking = await talk(house)
    both = sdp(house.operator.rtp_port, (0, 8, 101))
    # What it has is kept, whatever stands first: so a hold does not change it.
    assert " RTP/AVP 8 101\r\n" in (await talking.offer(Leg.OPERATOR, "UPDATE", both)).body
    await talking.go_over(Leg.OPERATOR, PCMU, "UPDATE")
    # The other's is taken rather than the first, so that the sound is passed on.
    many = sdp(house.operator.rtp_port, (9, 8, 101), "a=rtpmap:9 G722/8000")
    assert " RTP/AVP 8 101\r\n" in (await talking.offer(Leg.OPERATOR, "UPDATE", many)).body
    talking.spoken[Leg.OPERATOR] = PCMA
    await talking.passes(Leg.CALLER, Leg.OPERATOR, 5)


@pytest.fixture
def narrow(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line speaks PCMU and then PCMA, and nothing else."""
    policy = replace(house.board.policy(Profile.REPORT), codecs=("PCMU", "PCMA"))
    monkeypatch.setattr(house.board, "policy", lambda *_, **__: policy)


@pytest.mark.usefixtures("narrow")
async def test_a_line_speaks_by_sip_what_its_profile_allows_in_its_order(house: House) -> None:
    house.caller.request("INVITE", body=sdp(house.caller.rtp_port, (9,), "a=rtpmap:9 G722/8000"))
    assert (await house.caller.hear("SIP/2.0 4")).first == "SIP/2.0 488 Not Acceptable Here"
    house.caller.request("ACK")
    house.caller.call_id += "-again"
    invite = await house.ringing(body=sdp(house.caller.rtp_port, (9, 8, 0, 101), "a=rtpmap:9 G722/8000"))
    assert " RTP/AVP 0 8 101\r\n" in invite.body
    house.operator.reply(invite, "200 OK", body=house.operator.offer())
    assert " RTP/AVP 8 101\r\n" in (await house.caller.hear("SIP/2.0 200")).body
    talking = Talk(house, {Leg.OPERATOR: invite.rtp_port})
    wide = sdp(house.operator.rtp_port, (9,), "a=rtpmap:9 G722/8000")
    refused = await talking.offer(Leg.OPERATOR, "INVITE", wide)
    assert refused.first == "SIP/2.0 488 Not Acceptable Here"
    await talking.go_over(Leg.OPERATOR, PCMU)


@pytest.mark.usefixtures("narrow")
async def test_a_caller_who_offers_nothing_is_offered_what_the_line_speaks(house: House) -> None:
    assert " RTP/AVP 0 8 13 101\r\n" in (await house.ringing(body="")).body


async def test_when_nobody_translates_any_more_the_operator_is_asked_to_speak_what_the_caller_does(
    house: House,
) -> None:
    talking = await talk(house)
    await talking.go_over(Leg.OPERATOR, PCMU)
    next(iter(house.board.calls.values())).fail(RuntimeError("of ours"))
    asked = await house.operator.hear("INVITE ")
    assert " RTP/AVP 8 13 101\r\n" in asked.body
    wide = sdp(house.caller.rtp_port, (9, 101), "a=rtpmap:9 G722/8000")
    refused = await talking.offer(Leg.CALLER, "UPDATE", wide)
    assert refused.first == "SIP/2.0 488 Not Acceptable Here"
    house.operator.reply(asked, "200 OK", body=house.operator.offer())
    await house.operator.hear("ACK ")
    talking.spoken[Leg.OPERATOR] = PCMA
    await talking.passes(Leg.CALLER, Leg.OPERATOR, 6)


async def test_an_operator_may_send_any_codec_that_it_named_in_its_answer(house: House) -> None:
    house.caller.request("INVITE", body=sdp(house.caller.rtp_port, (8, 0, 101)))
    invite = await house.operator.hear("INVITE ")
    house.operator.reply(invite, "200 OK", body=sdp(house.operator.rtp_port, (8, 0, 101)))
    await house.caller.hear("SIP/2.0 200")
    await house.until(lambda: house.board.calls)
    for number in range(12):
        kind = 8 if number < 6 else 0
        house.operator.say(invite.rtp_port, Packet(kind, number, number * 160, 5, bytes([number]) * 160))
    (call,) = house.board.calls.values()
    receiver = call.sides[Leg.OPERATOR].receiver
    await house.until(lambda: receiver.counts.played >= 12)
    assert receiver.undecodable == 0
    assert (await house.caller.sound((0, 8))).payload_type == 8


@pytest.mark.parametrize("whole", [True, False], ids=["whole offer", "media line alone"])
async def test_a_telephone_that_cannot_be_reached_by_our_addresses_is_refused(
    house: House, whole: bool
) -> None:
    offer = house.caller.offer()
    ours, theirs = "c=IN IP4 127.0.0.1", "c=IN IP6 2001:db8::7"
    offer = offer.replace(ours, theirs) if whole else offer.replace("a=rtpmap", f"{theirs}\r\na=rtpmap", 1)
    house.caller.request("INVITE", body=offer)
    await house.caller.hear("SIP/2.0 488")
    assert not house.trunk.calls
    house.caller.request("ACK")
    # The old way to say hold belongs to no family.
    house.caller.call_id += "-again"
    house.caller.request("INVITE", body=offer.replace("2001:db8::7", "::"))
    await house.operator.hear("INVITE ")
