"""A line between two SIP peers that loses packets and remembers what went over it, and when.

It sits in front of the callee: what is sent to its SIP address reaches the peer behind it, with the addresses of the sound
(in SDP) put for its own.
"""

from __future__ import annotations

import re
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from audio import rtp
from audio.codecs.g711 import PCMA, RATE_HZ
from audio.errors import AudioError
from audio.rtp import Unwrapper
from tests.support.sip import HOST

Passed = list[tuple[float, rtp.Packet]]


class LossyLine:
    """Use it by `with`; `lose` says which packets of which direction get lost: (`to_peer`, number of the packet)."""

    def __init__(self, peer_sip: int) -> None:
        self.lose: Callable[[bool, int], bool] = lambda _to_peer, _number: False
        self.passed: dict[bool, Passed] = {True: [], False: []}
        """What came to the line, by whether it went to the peer behind it."""
        self._peer_sip = peer_sip
        self._sip, self._front, self._back = (_socket() for _ in range(3))
        self._caller: tuple[str, int] | None = None
        self._sound: dict[bool, tuple[str, int]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def sip(self) -> int:
        port: int = self._sip.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for one in (self._sip, self._front, self._back):
            one.close()

    def _run(self) -> None:
        while not self._over.is_set():
            for ready in select.select([self._sip, self._front, self._back], [], [], 0.1)[0]:
                data, source = ready.recvfrom(65_535)
                if ready is self._sip:
                    self._pass_message(data, source)
                else:
                    self._pass_sound(data, ready is self._front)

    def _pass_message(self, data: bytes, source: tuple[str, int]) -> None:
        to_peer = source[1] != self._peer_sip
        if to_peer:
            self._caller = source
        head, _, body = data.decode().partition("\r\n\r\n")
        if found := re.search(r"m=audio (\d+)", body):
            # What the one says is where the other's sound goes, and each is told of our side.
            self._sound[not to_peer] = (HOST, int(found[1]))
            ours = (self._back if to_peer else self._front).getsockname()[1]
            body = body.replace(found[0], f"m=audio {ours}")
            body = re.sub(r"(?m)^a=rtcp:.*\r\n", "", body)
            head = re.sub(r"(?im)^content-length:.*?\r?$", f"Content-Length: {len(body)}", head)
        target = (HOST, self._peer_sip) if to_peer else self._caller
        if target:
            self._sip.sendto(f"{head}\r\n\r\n{body}".encode(), target)

    def _pass_sound(self, data: bytes, to_peer: bool) -> None:
        try:
            packet = rtp.parse(data)
        except AudioError:
            return
        passed = self.passed[to_peer]
        passed.append((time.monotonic(), packet))
        if (target := self._sound.get(to_peer)) and not self.lose(to_peer, len(passed)):
            (self._back if to_peer else self._front).sendto(data, target)

    def heard(self, to_peer: bool) -> tuple[float, NDArray[np.float64]]:
        """A-law that went over the line as sound of 8 kHz, and the time of its start, by the packet that came fastest."""
        sound = [(at, packet) for at, packet in self.passed[to_peer] if packet.payload_type == 8]
        numbers, first = Unwrapper(32), sound[0][1].timestamp
        places = [numbers(packet.timestamp) - first for _, packet in sound]
        began = min(at - place / RATE_HZ for (at, _), place in zip(sound, places, strict=True))
        heard = np.zeros(max(places) + RATE_HZ)
        for (_, packet), place in zip(sound, places, strict=True):
            samples = PCMA.decoder().decode(packet.payload).astype(np.float64) / 32768
            heard[place : place + len(samples)] = samples
        return began, heard


def _socket() -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((HOST, 0))
    return one
