"""Debian's Kamailio with the configuration that we give away, and its rtpengine, as a test starts them."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.node import Node
from tests.support.peers import free_port
from tests.support.sip import HOST, KAMAILIO, ByHand, free_udp_port, sip_port, until
from tests.support.sip_tls import certificate

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "kamailio" / "kamailio.cfg"
RTPENGINE = shutil.which("rtpengine", path="/usr/bin:/usr/sbin")


@dataclass(frozen=True)
class Site:
    """What is this site's own: a folder with Kamailio's files, and where it answers."""

    folder: Path
    port: int
    secure: int
    certificate: tuple[Path, Path]


def configured(folder: Path, operator: int, nodes: Sequence[Node], *more: str) -> Site:
    """Kamailio's files. `more`: what else is defined."""
    folder.mkdir()
    site = Site(folder, free_udp_port(1), free_port(), certificate(folder))
    shutil.copy(CONFIGURATION, folder)
    (folder / "dispatcher.list").write_text("".join(f"1 sip:{HOST}:{sip_port(node)}\n" for node in nodes))
    (modules,) = Path("/usr/lib").glob("*/kamailio/modules")
    own = [
        f"LISTEN udp:{HOST}:{site.port}",
        f"LISTEN_TLS tls:{HOST}:{site.secure}",
        f'DISPATCHER_LIST "{folder}/dispatcher.list"',
        f'OPERATOR "sip:operator@{HOST}:{operator}"',
        f'MODULES "{modules}/"',
        f'TLS_CERTIFICATE "{site.certificate[0]}"',
        f'TLS_KEY "{site.certificate[1]}"',
        "PING_S 1",
        *more,
    ]
    (folder / "callsvc.cfg").write_text("".join(f"#!define {one}\n" for one in own))
    return site


@contextlib.contextmanager
def _process(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def rtpengine(log: Path) -> Iterator[str]:
    """It relays sound on this machine, without its kernel module; where it is told what to do."""
    assert RTPENGINE is not None, "rtpengine is not installed (apt-get install rtpengine-daemon)"
    control, first = free_udp_port(1), free_udp_port(40)
    command = [
        RTPENGINE, "--config-file=none", "--foreground", "--log-stderr", "--table=-1", f"--interface={HOST}",
        f"--listen-ng={HOST}:{control}", f"--port-min={first}", f"--port-max={first + 39}",
    ]  # fmt: skip
    with _process(command, log) as process:
        until(lambda: "Startup complete" in log.read_text() or process.poll() is not None, "rtpengine")
        assert process.poll() is None, log.read_text()
        yield f"udp:{HOST}:{control}"


@contextlib.contextmanager
def kamailio(site: Site) -> Iterator[None]:
    assert KAMAILIO is not None, "Kamailio is not installed (apt-get install kamailio)"
    folder, log = site.folder, site.folder / "log"
    command = [
        KAMAILIO, "-f", str(folder / "kamailio.cfg"), "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(folder),
    ]  # fmt: skip
    with _process(command, log) as process, ByHand(site.port) as asks:

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            asks.request("OPTIONS")
            return any(text.startswith("SIP/2.0 200") for text in asks.answers(0.2))

        until(answers, "Kamailio")
        yield
