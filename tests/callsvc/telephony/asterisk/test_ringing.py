"""A caller whom nobody has taken yet hears it ring."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import numpy as np
import pytest

from callsvc.clock import SystemClock
from callsvc.telephony.asterisk.frames import CODECS, Kind
from callsvc.telephony.asterisk.ringing import Ringing
from callsvc.telephony.asterisk.server import AudioSocketServer
from tests.support.audiosocket import AudioSocketPeer

pytestmark = pytest.mark.call

VOICE = bytes([1, 0]) * 320


@pytest.mark.parametrize("kind", [Kind.SOUND_8K, Kind.SOUND_16K, Kind.SOUND_48K])
def test_it_rings_for_a_second_and_is_silent_for_five(kind: Kind) -> None:
    codec, ringing = CODECS[kind], Ringing()
    frames = [codec.decode(ringing.frame(codec)) for _ in range(600)]

    assert [bool(frame.any()) for frame in frames] == ([True] * 50 + [False] * 250) * 2
    tone = np.concatenate(frames[:50]).astype(float)
    assert np.abs(np.fft.rfft(tone)).argmax() == 425  # Hz, in a second
    assert np.abs(np.diff(tone)).max() < 1.05 * 3000 * 2 * np.pi * 425 / codec.rate_hz  # no step at any seam


async def test_who_waits_hears_it_ring_until_there_is_sound() -> None:
    server, identity = AudioSocketServer(["127.0.0.0/8"], Kind.SOUND_16K, SystemClock()), uuid4()
    waiting = server.expect(identity)
    peer = await AudioSocketPeer.connect(await server.start("127.0.0.1", 0))
    await peer.introduce(identity)
    async with asyncio.timeout(30):
        end = await waiting
        end.ring()
        while not any(any(one.payload) for one in peer.heard):
            await peer.read()
        end.send_frame(CODECS[Kind.SOUND_16K], VOICE)
        while peer.heard[-1].payload != VOICE:
            await peer.read()
        await end.close()
        after = [one.payload for one in await peer.until_closed() if one.kind == Kind.SOUND_16K]
    await peer.close()
    await server.close()

    assert after[-1] == VOICE
