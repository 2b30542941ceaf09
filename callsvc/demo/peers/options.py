"""What both parties are told on the command line."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from callsvc.clock import SystemClock
from callsvc.demo.peers.party import Party, Script, say
from callsvc.errors import CallsvcError
from callsvc.telephony import ice
from callsvc.telephony.connection import Connection

TOKEN = "CALLSVC_TOKEN"
LIMIT_S = 300.0

Join = Callable[[argparse.Namespace, str], Awaitable[Connection]]


def parser(description: str, rate_hz: int) -> argparse.ArgumentParser:
    """The options that both have."""
    parser = argparse.ArgumentParser(description=description, epilog=f"The token is taken from ${TOKEN}.")
    parser.add_argument("--url", required=True, help="address of the leg on the media node")
    parser.add_argument("--play", type=Path, required=True, help="sound file that is the microphone")
    parser.add_argument("--record", type=Path, required=True, help="WAV file for what is heard")
    parser.add_argument("--rate", type=int, default=rate_hz, help="rate of the recording, in Hz")
    parser.add_argument("--host", default="127.0.0.1", help="own address to use, and no other")
    parser.add_argument("--hang-up", action="store_true", help="hang up when the file is over")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds after which to leave anyway")
    parser.add_argument("--keys", type=Path, help="JSON list of the seconds at which keys are pressed")
    return parser


def run(options: argparse.Namespace, join: Join) -> None:
    """Be a party to the call, then end the process: 0 when the file was played to its end."""
    token = os.environ.get(TOKEN, "")
    if not token:
        sys.exit(f"${TOKEN} is empty")
    sys.exit(asyncio.run(_run(options, join, token)))


async def _run(options: argparse.Namespace, join: Join, token: str) -> int:
    keys = json.loads(options.keys.read_text(encoding="utf-8")) if options.keys else ()
    script = Script(options.play, options.record, options.rate, options.hang_up, options.limit, keys)
    ice.use_only([options.host])
    try:
        connection = await join(options, token)
    except CallsvcError as error:
        say("refused", message=error.message)
        return 1
    return await Party(connection, script, SystemClock()).run()
