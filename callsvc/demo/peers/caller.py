"""The caller's end: a telephone on plain RTP, or a browser."""

from __future__ import annotations

import argparse

from audio import codecs
from callsvc.clock import SystemClock
from callsvc.demo.peers import options
from callsvc.telephony.client import join_rtp, join_webrtc
from callsvc.telephony.connection import Connection


async def join(chosen: argparse.Namespace, token: str) -> Connection:
    """One codec, as a telephone line has it."""
    spoken = [codecs.by_name(chosen.codec)]
    if chosen.transport == "webrtc":
        return await join_webrtc(chosen.url, token, SystemClock(), spoken)
    return await join_rtp(chosen.url, token, SystemClock(), spoken, chosen.host)


def main() -> None:
    parser = options.parser("Be the caller of a call.", 8000)
    parser.add_argument("--transport", choices=["rtp", "webrtc"], default="rtp")
    parser.add_argument("--codec", choices=[codec.name for codec in codecs.ALL], default="PCMA")
    options.run(parser.parse_args(), join)


if __name__ == "__main__":
    main()
