"""What the operator does during a call, over the page's own way to the node: in the sealed event list, and in the bundle."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from audio import files
from callsvc.clock import SystemClock
from callsvc.demo.placing import Invitation, Line, place
from callsvc.recordings.bundle import export
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.reader import open_recording
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from callsvc.types import Leg
from tests.support.house import ROOT
from tests.support.node import Node, in_the_background, running_node

pytestmark = [pytest.mark.evidence, pytest.mark.acceptance]

LENGTH_S = 7.0
PATIENCE_S = 60.0
COMMANDS: list[dict[str, Any]] = [
    {"do": "marker", "kind": "consent", "text": "Samtycker till att socialtjänsten får höra."},
    {"do": "announce", "announcement": "recording", "language": "sv"},
    {"do": "announce_stop"},
    {"do": "hold", "on": True},
    {"do": "hold", "on": False},
    {"do": "mute", "on": True},
    {"do": "mute", "on": False},
    {"do": "mask", "on": True, "reason": "payment"},
    {"do": "mask", "on": False},
]


def command(node: Node, call: str, number: int, what: dict[str, Any]) -> dict[str, Any]:
    """As the page beside a telephone does it."""
    asked = urllib.request.Request(
        f"{node.url}/calls/{call}/commands",
        data=json.dumps({"id": f"c{number}", **what}).encode(),
        headers={"Authorization": f"Bearer {node.token(call, Leg.OPERATOR)}"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        said: dict[str, Any] = json.load(answer)
    assert said["t"] == "done", said
    return said


def microphone(path: Path) -> Path:
    at = np.arange(round(LENGTH_S * 48_000)) / 48_000
    with files.WavWriter(path, 48_000) as file:
        file.write((8000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16))
    return path


async def a_call(node: Node, work: Path) -> tuple[str, list[dict[str, Any]]]:
    call = str(uuid4())
    invitation = Invitation(call, node.url, {leg: node.token(call, leg) for leg in Leg})
    lines = {Leg.OPERATOR: Line("webrtc", "PCMA"), Leg.CALLER: Line("rtp", "PCMA")}
    play = dict.fromkeys(Leg, await asyncio.to_thread(microphone, work / "microphone.wav"))
    placed = asyncio.create_task(place(invitation, lines, play, work, LENGTH_S))
    await asyncio.to_thread(node.wait_for, "call.started", call, PATIENCE_S)
    done = [
        await asyncio.to_thread(command, node, call, number, what) for number, what in enumerate(COMMANDS)
    ]
    await placed
    await asyncio.to_thread(node.wait_for, "recording.sealed", call, PATIENCE_S)
    return call, done


@pytest.mark.timeout(240)
async def test_what_the_operator_does_is_in_the_sealed_event_list_and_in_the_bundle(tmp_path: Path) -> None:
    async with in_the_background(running_node(tmp_path)) as node:
        call, done = await a_call(node, tmp_path)
        keys = FileKeyRing(node.data_dir / "keys")
        source = DirectorySource(node.data_dir / "spool" / call)
    report = verify(source, keys=keys, call=call)
    assert (report.findings, report.decrypted) == ([], True)
    recording = open_recording(source, keys)
    notes = [(at, note) for at, note in recording.notes() if note["kind"] != "degraded"]
    at = [answer["at_ms"] for answer in done]
    # The profile's own announcement comes first, if there is one; it was stopped by nobody.
    mine = notes[-len(COMMANDS) :]
    assert [note["kind"] for _, note in mine] == [
        "marker", "announcement", "announcement", "hold", "hold", "mute", "mute", "mask", "mask",
    ]  # fmt: skip
    # The mask begins where the sound had come to, everything else at the time that the operator was told.
    assert all(abs(when - told) <= 50 for (when, _), told in zip(mine[:7], at[:7], strict=True))
    assert mine[0][1] == {"kind": "marker", "marker": "consent", "text": COMMANDS[0]["text"]}
    begun, stopped = mine[1][1], mine[2][1]
    assert (begun["announcement"], begun["language"], begun["state"]) == ("recording", "sv", "begun")
    assert len(str(begun["sha256"])) == 64
    assert (stopped["state"], stopped["sha256"]) == ("stopped", begun["sha256"])
    assert [note.get("on") for _, note in mine[3:7]] == [True, False, True, False]
    assert (mine[7][1]["state"], mine[7][1]["reason"], mine[8][1]["state"]) == ("on", "payment", "off")

    bundle = tmp_path / "paket"
    export(source, bundle, keys, SystemClock())
    about = json.loads((bundle / "paket.json").read_text(encoding="utf-8"))
    assert about["notes"] == [{"at_ms": when, **note} for when, note in recording.notes()]
    checked = await asyncio.to_thread(_checked, bundle)
    assert checked.returncode == 0, checked.stdout
    # Nobody adds a consent afterwards, nor takes one out.
    about["notes"][0]["text"] = "Samtycker till allt."
    (bundle / "paket.json").write_text(json.dumps(about), encoding="utf-8")
    assert (await asyncio.to_thread(_checked, bundle)).returncode == 1


def _checked(bundle: Path) -> subprocess.CompletedProcess[str]:
    words: list[str | Path] = [sys.executable, "-I", "-S", ROOT / "deploy" / "check_bundle.py", bundle]
    return subprocess.run(words, capture_output=True, text=True, check=False)
