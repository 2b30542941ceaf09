"""AudioSocket's traps, each by a peer that speaks the protocol byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np
import pytest

from audio.codecs.linear import Linear
from audio.taps import GapCause
from callsvc.clock import Clock, FixedClock, SystemClock
from callsvc.telephony.asterisk.connection import AudioSocketConnection
from callsvc.telephony.asterisk.frames import CODECS, Kind, build
from callsvc.telephony.asterisk.server import AudioSocketServer
from callsvc.telephony.call import Parts
from callsvc.telephony.plain import Ports
from callsvc.telephony.switchboard import Switchboard
from callsvc.types import CallState, EventKind, Leg, Profile
from tests.support.audiosocket import AudioSocketPeer
from tests.support.legs import Events, Tapes
from tests.support.packets import babble

pytestmark = pytest.mark.call

PATIENCE_S = 30.0
FRAME = 640


@dataclass
class House:
    server: AudioSocketServer
    port: int
    board: Switchboard
    events: Events
    tapes: Tapes
    clock: Clock
    peers: list[AudioSocketPeer] = field(default_factory=list)

    async def connect(self, *, buffer: int = 0) -> AudioSocketPeer:
        peer = await AudioSocketPeer.connect(self.port, buffer=buffer)
        self.peers.append(peer)
        return peer


@pytest.fixture
def clock() -> Clock:
    return SystemClock()


@pytest.fixture
async def house(clock: Clock) -> AsyncIterator[House]:
    events, tapes = Events(), Tapes()
    server = AudioSocketServer(["127.0.0.0/8"], Kind.SOUND_16K, clock)
    port = await server.start("127.0.0.1", 0)
    parts = Parts(clock, events, tapes, None, vanish_after_s=10.0)
    async with Switchboard(parts, Ports("127.0.0.1", 0, 0), max_calls=4) as board:
        house = House(server, port, board, events, tapes, clock)
        yield house
        await server.close()
        for peer in house.peers:
            await peer.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


async def a_leg(house: House, *, buffer: int = 0) -> tuple[AudioSocketPeer, AudioSocketConnection]:
    identity = uuid4()
    waiting = house.server.expect(identity)
    peer = await house.connect(buffer=buffer)
    await peer.introduce(identity)
    async with asyncio.timeout(PATIENCE_S):
        return peer, await waiting


@dataclass
class Talk:
    """A call of two AudioSockets."""

    id: UUID
    caller: AudioSocketPeer
    operator: AudioSocketPeer
    connections: dict[Leg, AudioSocketConnection]


async def a_call(house: House, kind: Kind = Kind.SOUND_16K) -> Talk:
    identity = uuid4()
    caller, caller_end = await a_leg(house)
    operator, operator_end = await a_leg(house)
    for leg, end in ((Leg.CALLER, caller_end), (Leg.OPERATOR, operator_end)):
        house.board.admit(identity, leg, Profile.REPORT, end)
    silence = bytes(CODECS[kind].frame_bytes)
    for peer in (caller, operator):
        await peer.sound(silence, kind)
    await until(lambda: house.board.calls[identity].state is CallState.LIVE)
    return Talk(identity, caller, operator, {Leg.CALLER: caller_end, Leg.OPERATOR: operator_end})


def frames(sound: np.ndarray, codec: Linear) -> list[bytes]:
    size = codec.frame_samples
    return [codec.encode(sound[at : at + size]) for at in range(0, len(sound) - size + 1, size)]


async def test_silence_comes_at_once_after_the_id_and_goes_on_until_there_is_sound(house: House) -> None:
    peer, _ = await a_leg(house)
    heard = await peer.hear(4)
    assert {(message.kind, message.payload) for message in heard} == {(Kind.SOUND_16K, bytes(FRAME))}


async def test_the_id_may_come_in_pieces(house: House) -> None:
    identity = uuid4()
    waiting = house.server.expect(identity)
    peer = await house.connect()
    for byte in build(Kind.ID, identity.bytes):
        await peer.send(bytes([byte]))
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        assert (await waiting).transport == "audiosocket"


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(build(Kind.ID, uuid4().bytes), id="an id that nobody waits for"),
        pytest.param(build(Kind.SOUND_16K, bytes(FRAME)), id="sound before the id"),
        pytest.param(build(Kind.ID, b"short"), id="half an id"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(30_000), id="another protocol"),
    ],
)
async def test_who_was_not_announced_is_not_heard(house: House, first: bytes) -> None:
    waiting = house.server.expect(uuid4())
    peer = await house.connect()
    await peer.send(first)
    assert await peer.until_closed() == []
    assert not waiting.done()


async def test_an_id_is_good_once(house: House) -> None:
    identity = uuid4()
    waiting = house.server.expect(identity)
    first, second = [await house.connect() for _ in range(2)]
    await first.introduce(identity)
    await waiting
    await second.introduce(identity)
    assert await second.until_closed() == []
    await first.hear(2)


async def test_an_address_that_is_not_a_peers_is_closed_at_once() -> None:
    server = AudioSocketServer(["192.0.2.0/24"], Kind.SOUND_16K, SystemClock())
    port = await server.start("127.0.0.1", 0)
    waiting = server.expect(identity := uuid4())
    peer = await AudioSocketPeer.connect(port)
    peer.writer.write(build(Kind.ID, identity.bytes))
    assert await peer.until_closed() == []
    assert not waiting.done()
    await server.close()
    await peer.close()


async def test_callers_frames_reach_the_operator_byte_for_byte_however_the_stream_is_cut(
    house: House,
) -> None:
    talk = await a_call(house)
    spoken = frames(babble(16_000, 0.5), CODECS[Kind.SOUND_16K])
    stream = b"".join(build(Kind.SOUND_16K, frame) for frame in spoken)
    for at in range(0, len(stream), 250):
        await talk.caller.send(stream[at : at + 250])
    await until(lambda: house.board.calls[talk.id].sides[Leg.CALLER].receiver.counts.received >= 25)

    def passed_on() -> list[bytes]:
        return [message.payload for message in talk.operator.heard if any(message.payload)]

    while len(passed_on()) < len(spoken):
        await talk.operator.read()
    assert passed_on() == spoken
    # Every message in whole: Asterisk waits 5 ms for a second half, and then hangs up.
    assert all(message.payload for message in talk.operator.heard)


async def test_frames_of_ten_milliseconds_become_frames_of_twenty(house: House) -> None:
    talk = await a_call(house)
    spoken = frames(babble(16_000, 0.2), CODECS[Kind.SOUND_16K])
    for frame in spoken:
        await talk.caller.sound(frame[:320])
        await talk.caller.sound(frame[320:])
    while len([m for m in talk.operator.heard if any(m.payload)]) < len(spoken):
        await talk.operator.read()
    assert [message.payload for message in talk.operator.heard if any(message.payload)] == spoken


async def pass_time(house: House, seconds: float) -> None:
    """Let a clock that stands still go on, and the calls with it."""
    assert isinstance(house.clock, FixedClock)
    for _ in range(round(seconds * 100)):
        house.clock.advance(0.01)
        house.board.tick(house.clock.monotonic())


async def say_in_step(house: House, talk: Talk, payload: bytes) -> None:
    """The caller says 20 ms, which take exactly that long."""
    receiver, connection = house.board.calls[talk.id].sides[Leg.CALLER].receiver, talk.connections[Leg.CALLER]
    before = receiver.counts.received + connection.lost
    await talk.caller.sound(payload)
    await until(lambda: receiver.counts.received + connection.lost > before)
    await pass_time(house, 0.02)


@pytest.mark.parametrize("clock", [FixedClock()])
async def test_a_lost_frame_is_concealed_noted_as_a_gap_and_never_sent_back(house: House) -> None:
    talk = await a_call(house)
    spoken = frames(babble(16_000, 2.0), CODECS[Kind.SOUND_16K])
    for index, frame in enumerate(spoken):
        await say_in_step(house, talk, b"" if index == 50 else frame)
    await pass_time(house, 0.1)
    house.board.calls[talk.id].end("hangup")
    heard = [message for message in await talk.operator.until_closed() if message.kind == Kind.SOUND_16K]

    assert all(len(message.payload) == FRAME for message in heard)
    sounding = [message.payload for message in heard if any(message.payload)]
    before = sounding.index(spoken[49])
    assert sounding[before + 2] == spoken[51]
    assert sounding[before + 1] not in spoken
    gaps = [(length, cause) for _, length, cause in house.tapes.notebooks["caller.rx"].gaps]
    (lost,) = [length for length, cause in gaps if cause is GapCause.LOSS]
    assert 0 < lost <= 320


async def test_a_frame_of_nothing_is_never_sent_and_what_lies_in_its_place_is_made_up(house: House) -> None:
    peer, connection = await a_leg(house)
    frame = bytes([7]) * FRAME
    for payload in (frame, b"", frame):
        connection.send_frame(connection.codec, payload)
    await connection.close()

    sound = [message.payload for message in await peer.until_closed() if message.kind == Kind.SOUND_16K]
    assert {len(payload) for payload in sound} == {FRAME}
    first = sound.index(frame)
    assert len(sound[first:]) == 3
    assert sound[first + 2] == frame


@pytest.mark.parametrize(
    ("kind", "late"), [*((kind, False) for kind in CODECS), (Kind.SOUND_8K, True)], ids=str
)
async def test_each_rate_is_heard_and_answered_in_its_own_kind(house: House, kind: Kind, late: bool) -> None:
    # An Asterisk that is slow says its kind when the call has begun.
    talk = await a_call(house, Kind.SOUND_16K if late else kind)
    await talk.caller.sound(bytes(CODECS[kind].frame_bytes), kind)
    codec = CODECS[kind]
    # More than is asked for: what comes after a short pause is late until it has caught up.
    spoken = frames(babble(codec.rate_hz, 1.2), codec)
    # Both read all the while: what a slow machine leaves unread for seconds is left out.
    reading = [asyncio.create_task(peer.until_closed(120)) for peer in (talk.caller, talk.operator)]
    for frame in spoken:
        await talk.operator.sound(frame, kind)
        await asyncio.sleep(0.01)
    await until(lambda: sum(m.kind == kind and any(m.payload) for m in talk.caller.heard) >= 20)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    answered = [message for message in talk.caller.heard if any(message.payload)]
    assert {(message.kind, len(message.payload)) for message in answered} == {(kind, codec.frame_bytes)}


async def test_a_caller_who_goes_without_a_word_ends_this_call_and_no_other(house: House) -> None:
    first, second = await a_call(house), await a_call(house)
    await first.caller.send(build(Kind.SOUND_16K, bytes(FRAME))[:100])
    first.caller.abort()
    last = (await first.operator.until_closed())[-1]
    assert (last.kind, last.payload) == (Kind.HANGUP, b"")
    assert await first.connections[Leg.OPERATOR].over == "vanished"
    assert house.board.calls[second.id].state is CallState.LIVE
    await second.operator.send(build(Kind.HANGUP))
    await second.caller.until_closed()
    await until(lambda: not house.board.calls)
    assert [fields["cause"] for fields in house.events.of(EventKind.CALL_ENDED)] == ["vanished", "hangup"]


async def test_an_error_of_asterisks_ends_the_call_as_failed(house: House) -> None:
    talk = await a_call(house)
    await talk.caller.send(build(Kind.ERROR, b"\x02"))
    await talk.operator.until_closed()
    assert await talk.connections[Leg.CALLER].over == "failed"


async def test_a_peer_that_does_not_read_loses_frames_whole_and_holds_nothing_up(house: House) -> None:
    slow, end = await a_leg(house, buffer=4096)
    slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
    codec = CODECS[Kind.SOUND_16K]
    for index in range(2000):
        end.send_frame(codec, bytes([1 + index % 250]) * FRAME)
    assert end.choked > 1800
    slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
    await end.close()
    *frames_heard, goodbye = await slow.until_closed()
    assert len(frames_heard) > 10
    assert all(len(m.payload) == FRAME and len(set(m.payload)) == 1 for m in frames_heard)
    assert goodbye.kind == Kind.HANGUP


async def test_a_peer_that_never_reads_again_is_let_go(house: House) -> None:
    slow, end = await a_leg(house, buffer=4096)
    slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
    for _ in range(200):
        end.send_frame(CODECS[Kind.SOUND_16K], bytes(FRAME))
    heard, now = end.last_heard, end.clock.monotonic()
    await asyncio.sleep(1.5)
    assert end.last_heard == heard
    assert end.last_heard < now
    await end.close()


@pytest.mark.parametrize("clock", [FixedClock()])
async def test_a_caller_on_hold_who_sends_nothing_is_still_there_and_comes_back_in_step(house: House) -> None:
    talk = await a_call(house)
    receiver = house.board.calls[talk.id].sides[Leg.CALLER].receiver
    spoken = frames(babble(16_000, 1.0), CODECS[Kind.SOUND_16K])
    for frame in spoken[:25]:
        await say_in_step(house, talk, frame)
    await pass_time(house, 1.0)
    for frame in spoken[25:]:
        await say_in_step(house, talk, frame)
    await pass_time(house, 0.1)
    assert (receiver.counts.late, receiver.counts.stray) == (0, 0)
    assert receiver.depth_s < 0.4
    assert house.board.calls[talk.id].state is CallState.LIVE


async def test_what_makes_no_sense_is_counted_and_left_alone(house: House) -> None:
    talk = await a_call(house)
    for message in (build(0x55, b"what"), build(Kind.SOUND_16K, bytes(641)), build(Kind.DTMF, b"5")):
        await talk.caller.send(message)
    await talk.caller.sound(b"\x01\x00" * 320)
    await until(lambda: house.board.calls[talk.id].sides[Leg.CALLER].connection.malformed == 2)
    assert house.board.calls[talk.id].state is CallState.LIVE


async def test_a_digit_in_the_stream_is_told_of_whoever_pressed_it_and_is_no_sound(house: House) -> None:
    talk = await a_call(house)
    page: list[Mapping[str, object]] = []
    house.board.calls[talk.id].watch(page.append)
    for peer, digit in ((talk.caller, b"5"), (talk.operator, b"#"), (talk.caller, b"D")):
        before = len(page)
        await peer.send(build(Kind.DTMF, digit))
        await until(lambda before=before: any(one["t"] == "digit" for one in page[before:]))  # type: ignore[misc]
    for nonsense in (b"", b"55", b"x", b"\xff", bytes(300)):
        await talk.caller.send(build(Kind.DTMF, nonsense))
    await talk.caller.send(build(Kind.DTMF, b"7"))
    await until(lambda: page[-1].get("digit") == "7" or any(one.get("digit") == "7" for one in page))

    told = [(one["by"], one["digit"]) for one in page if one["t"] == "digit"]
    assert told == [("caller", "5"), ("operator", "#"), ("caller", "D"), ("caller", "7")]
    kept = [what.get("digit") for _, what in house.tapes.notes if what["kind"] == "digit"]
    assert kept == ["5", "#", "D", "7"]
    noted = [one for one in house.events.of(EventKind.CALL_NOTED) if one["note"] == "digit"]
    assert all(set(one) == {"note", "at_ms", "by"} for one in noted)
    assert talk.connections[Leg.CALLER].malformed == 0
    assert not [message for message in talk.operator.heard if any(message.payload)]


async def test_whatever_one_connection_says_no_other_call_notices(house: House) -> None:
    talk = await a_call(house)
    chance = random.Random(20)
    for _ in range(40):
        identity = uuid4()
        waiting = house.server.expect(identity)
        rude = await house.connect()
        with contextlib.suppress(ConnectionError):
            await rude.introduce(identity)
            for _ in range(chance.randrange(1, 6)):
                await rude.send(chance.randbytes(chance.randrange(1, 3000)))
        if chance.random() < 0.5:
            rude.abort()
        await until(waiting.done)
        connection = waiting.result()
        await connection.close()
    spoken = frames(babble(16_000, 0.2), CODECS[Kind.SOUND_16K])
    for frame in spoken:
        await talk.caller.sound(frame)
    while len([m for m in talk.operator.heard if any(m.payload)]) < len(spoken):
        await talk.operator.read()
    assert [message.payload for message in talk.operator.heard if any(message.payload)] == spoken
    assert house.board.calls[talk.id].state is CallState.LIVE
    assert not house.server.strangers
    assert not house.server._expected
