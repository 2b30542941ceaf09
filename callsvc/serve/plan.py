"""Which parts there are, on which ports, and with which environment they are started."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from callsvc.config import Settings
from callsvc.serve import ports, probe
from callsvc.serve.part import Part, before_exec
from callsvc.serve.ports import Wanted
from callsvc.store.embedded.cluster import Launch
from callsvc.transcripts import models
from callsvc.transcripts.models import Purpose

LOOPBACK: Final = "127.0.0.1"
_STOP_STEPS: Final[dict[str, Sequence[tuple[signal.Signals, float | None]]]] = {
    # Lets the calls that run end by themselves, then ends them; either way their recordings are sealed.
    "media": ((signal.SIGTERM, None), (signal.SIGINT, 20.0)),
    "worker": ((signal.SIGTERM, 40.0),),
    "web": ((signal.SIGTERM, 15.0),),
    "broker": ((signal.SIGTERM, 10.0),),
    "captions": ((signal.SIGTERM, 10.0),),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """`parts` in the order in which they are started; `addresses` as they go into run/ports.json."""

    parts: dict[str, Part]
    addresses: dict[str, Any]
    url: str
    """Where people go with their browser."""


def make(settings: Settings, data_dir: Path) -> Plan:
    """The parts but the database. Raises `PortTaken`; starts nothing."""
    wanted = {
        "media": Wanted("media.port", settings.media.host, settings.media.port),
        "web": Wanted("web.port", settings.web.host, settings.web.port),
        "worker": Wanted("worker.port", settings.worker.host, settings.worker.port),
    }
    if not settings.mqtt.url:
        wanted["broker"] = Wanted("mqtt.port", LOOPBACK, settings.mqtt.port)
    chosen = ports.choose(wanted)
    environment = dict(os.environ)
    environment["CALLSVC_DATA_DIR"] = str(data_dir)
    for part, port in chosen.items():
        environment[f"CALLSVC_{'MQTT' if part == 'broker' else part.upper()}__PORT"] = str(port)

    def launch(name: str) -> Part:
        host, port = reachable(wanted[name].host), chosen[name]
        if name == "broker":
            ready = alive = probe.tcp(host, port)
        else:
            ready, alive = probe.http(host, port, "/readyz"), probe.http(host, port, "/healthz")

        async def start() -> Launch:
            return Launch([sys.executable, "-m", "callsvc", name], environment, Path.cwd(), before_exec())

        return Part(
            name,
            start,
            ready,
            # Two people may be talking through it: as long as it lives it is left alone.
            alive=None if name == "media" else alive,
            stop_steps=_STOP_STEPS[name],
        )

    addresses: dict[str, Any] = {
        "mqtt" if part == "broker" else part: {"host": reachable(wanted[part].host), "port": port}
        for part, port in chosen.items()
    }
    url = settings.web.public_url or f"http://{reachable(settings.web.host)}:{chosen['web']}/"
    order = [name for name in ("media", "broker", "web", "worker") if name in chosen]
    parts: dict[str, Part] = {name: launch(name) for name in order}
    if models.directory(settings, Purpose.LIVE) is not None:
        parts["captions"] = _captions(environment)
    return Plan(parts, addresses, url)


def _captions(environment: dict[str, str]) -> Part:
    """Captions, where a model is chosen for them. Nobody waits for them: their state is told beside each call."""

    async def start() -> Launch:
        return Launch([sys.executable, "-m", "callsvc", "captions"], environment, Path.cwd(), before_exec())

    async def ready() -> bool:
        return True

    return Part("captions", start, ready, alive=None, stop_steps=_STOP_STEPS["captions"])


def reachable(host: str) -> str:
    """Where a server that listens on `host` is reached from this machine."""
    return {"0.0.0.0": LOOPBACK, "": LOOPBACK, "::": "::1"}.get(host, host)
