"""The operator's end: WebRTC with a data channel, as a browser would."""

from __future__ import annotations

import argparse

from audio import codecs
from callsvc.clock import SystemClock
from callsvc.demo.peers import options
from callsvc.telephony.client import join_webrtc
from callsvc.telephony.connection import Connection


async def join(chosen: argparse.Namespace, token: str) -> Connection:
    """Opus for the microphone; anything the caller may speak for the ears."""
    spoken = [codecs.by_name(name) for name in chosen.codecs.split(",")]
    return await join_webrtc(chosen.url, token, SystemClock(), spoken)


def main() -> None:
    parser = options.parser("Be the operator of a call.", 16000)
    parser.add_argument("--codecs", default="opus,G722,PCMA,PCMU", help="codecs to offer, own first")
    options.run(parser.parse_args(), join)


if __name__ == "__main__":
    main()
