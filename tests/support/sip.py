"""Telephones that a test starts: baresip for people, SIPp for scripts; and SIP by hand, datagram by datagram."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from callsvc import data_dir
from tests.support.ear import Ear
from tests.support.node import Node
from tests.support.peers import free_port

BARESIP = shutil.which("baresip", path="/usr/bin:/usr/local/bin")
SIPP = shutil.which("sipp", path="/usr/bin:/usr/local/bin")
KAMAILIO = shutil.which("kamailio", path="/usr/sbin:/usr/bin")
HOST = "127.0.0.1"
PATIENCE_S = 60.0


def free_udp_port(count: int = 2) -> int:
    """A UDP port that is free, and those after it; for TCP, too, where telephones listen as well."""
    for _ in range(200):
        port = free_port()
        with contextlib.ExitStack() as bound:
            try:
                for number in range(port, port + count):
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        bound.enter_context(socket.socket(socket.AF_INET, kind)).bind((HOST, number))
            except (OSError, OverflowError):
                continue
        return port
    raise AssertionError("no free UDP ports")


def until(condition: Callable[[], Any], what: str = "", timeout_s: float = PATIENCE_S) -> Any:
    """Wait for something, and give it."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {what}")


class Baresip:
    """A telephone that answers by itself, says a file, and keeps what it hears. Use as a context manager."""

    def __init__(
        self,
        folder: Path,
        name: str,
        say: Path | None,
        *,
        codec: str = "PCMA",
        rate_hz: int = 8000,
        answers: bool = True,
        port: int = 0,
        ear: Ear | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """`certificate`, and its key: for calls over TLS with sound that is encrypted, to a proxy with the same one."""
        self.name = name
        self.ear = ear
        self.port = port or free_udp_port(2)
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self._control = free_port()
        self.heard_in = self.folder / "heard"
        self.heard_in.mkdir()
        secure: list[str] = []
        if certificate:
            both = self.folder / "own.pem"
            both.write_text("".join(path.read_text() for path in certificate))
            secure = [f"sip_cafile {certificate[0]}", f"sip_certificate {both}"]
        player = "alsa" if ear else "aubridge"
        modules = ["g711", "g722", "opus", "aufile", player, "sndfile", "uuid", "srtp"]
        lines = [
            "poll_method epoll",
            f"sip_listen {HOST}:{self.port}",
            f"net_interface {HOST}",
            f"audio_source {f'aufile,{say}' if say else f'alsa,{name}'}",
            f"audio_player {player},{ear.name if ear else 'nil'}",
            "audio_alert aubridge,nil",
            f"ausrc_srate {rate_hz}",
            f"auplay_srate {rate_hz}",
            "ausrc_channels 1",
            "auplay_channels 1",
            "jitter_buffer_delay 3-10",
            f"snd_path {self.heard_in}",
            f"ctrl_tcp_listen {HOST}:{self._control}",
            *secure,
            "module_path /usr/lib/baresip/modules",
            *(f"module {module}.so" for module in modules),
            *(f"module_app {module}.so" for module in ("account", "menu", "ctrl_tcp")),
        ]
        (self.folder / "config").write_text("\n".join(lines) + "\n")
        mode = "auto" if answers else "manual"
        account = f"<sip:{name}@{HOST}:{self.port}>;regint=0;answermode={mode};audio_codecs={codec}"
        account += ";mediaenc=srtp-mand" if certificate else ""
        (self.folder / "accounts").write_text(account + "\n")
        (self.folder / "contacts").write_text("")
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._rest = b""
        self.events: list[dict[str, Any]] = []

    @property
    def uri(self) -> str:
        return f"sip:{self.name}@{HOST}:{self.port}"

    def __enter__(self) -> Baresip:
        assert BARESIP is not None, "baresip is not installed (apt-get install baresip-core)"
        log = (self.folder / "log").open("wb")
        self._process = subprocess.Popen(
            [BARESIP, "-f", str(self.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=self.ear.environment if self.ear else None,
        )
        log.close()
        try:
            self._line = until(self._connect, f"{self.name}'s control")
        except AssertionError:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _connect(self) -> socket.socket | None:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            return socket.create_connection((HOST, self._control), timeout=0.02)
        except OSError:
            return None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def do(self, command: str, params: str = "") -> None:
        """A command of baresip's menu."""
        assert self._line is not None
        words = {"command": command, "params": params, "token": command}
        text = json.dumps({key: value for key, value in words.items() if value}).encode()
        self._line.sendall(b"%d:%s," % (len(text), text))

    def wait(self, kind: str, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The first event of a kind that is not yet taken: CALL_ESTABLISHED, CALL_CLOSED, CALL_DTMF_START..."""

        def found() -> dict[str, Any] | None:
            self._read()
            for event in self.events:
                if event.get("type") == kind:
                    self.events.remove(event)
                    return event
            return None

        event: dict[str, Any] = until(found, f"{kind} at {self.name}: {self.events}", timeout_s)
        return event

    def _read(self) -> None:
        assert self._line is not None
        try:
            self._rest += self._line.recv(65_536)
        except TimeoutError:
            return
        while found := re.match(rb"(\d+):", self._rest):
            start, length = found.end(), int(found[1])
            if len(self._rest) < start + length + 1:
                return
            message = json.loads(self._rest[start : start + length])
            self._rest = self._rest[start + length + 1 :]
            if message.get("event"):
                self.events.append(message)

    def stop(self) -> None:
        if self._line:
            self._line.close()
            self._line = None
        if self._process is None:
            return
        # Asked again it does not wait any more for an answer to its goodbye, which a dead node does not give.
        for ask in (self._process.terminate, self._process.terminate, self._process.kill):
            if self._process.poll() is None:
                ask()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)
        self._process.wait()

    def heard(self) -> list[Path]:
        """What was heard, a file a call, the oldest first."""
        return sorted(self.heard_in.glob("*-dec.wav"), key=lambda path: path.stat().st_mtime_ns)


def sipp(folder: Path, *words: str, timeout_s: float = 60.0) -> subprocess.Popen[bytes]:
    """SIPp with these arguments; its messages are in `folder`."""
    assert SIPP is not None, "SIPp is not installed (apt-get install sip-tester)"
    log = (folder / f"sipp-{words[-1].replace('/', '_')[-40:]}.log").open("wb")
    command = [SIPP, "-nostdin", "-i", HOST, "-timeout", f"{timeout_s:.0f}", *words]
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
    )
    log.close()
    return process


class ByHand:
    """A UDP socket that speaks SIP as the test wants it."""

    transport = "UDP"

    def __init__(self, port: int, host: str = HOST) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.settimeout(0.05)
        self.host, self.local = self.socket.getsockname()
        self.node = (HOST, port)
        self.number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def request(
        self, method: str, *more: str,
        body: str = "", call_id: str = "", to_tag: str = "", cseq: int = 1, uri: str = "",
    ) -> str:  # fmt: skip
        """Send a request; its Call-ID."""
        self.number += 1
        call_id = call_id or f"{self.number}-{self.local}@test"
        tag = f";tag={to_tag}" if to_tag else ""
        lines = [
            f"{method} {uri or f'sip:114@{HOST}:{self.node[1]}'} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {self.host}:{self.local};branch=z9hG4bK{self.number}-{self.local}",
            f"From: <sip:someone@{self.host}:{self.local}>;tag=f{self.local}",
            f"To: <sip:114@{HOST}>{tag}",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:someone@{self.host}:{self.local}>",
            "Max-Forwards: 70",
            *more,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
            "",
            body,
        ]
        self.send("\r\n".join(lines).encode())
        return call_id

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.node)

    def answers(self, seconds: float) -> list[str]:
        """Everything that comes within this time."""
        came: list[str] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                came.append(self.socket.recv(65_535).decode())
            except TimeoutError:
                continue
        return came

    def answer(self, start: str = "SIP/2.0 ", timeout_s: float = PATIENCE_S) -> str:
        """The next datagram that begins so."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                text = self.socket.recv(65_535).decode()
            except TimeoutError:
                continue
            if text.startswith(start):
                return text
        raise AssertionError(f"no answer {start!r}")


def sdp(port: int, numbers: Sequence[int] = (8, 101), *more: str, host: str = HOST) -> str:
    """An offer of A-law with digits."""
    lines = [
        "v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(str(number) for number in numbers)}",
        "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", *more,
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


def settings(operator: str, **more: object) -> dict[str, str]:
    """The environment of a node that is called by SIP from this machine and rings this telephone."""
    wished = {"host": HOST, "port": 0, "peers": [HOST], "operator": operator, **more}
    return {
        f"CALLSVC_SIP__{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in wished.items()
    }


def sip_port(node: Node) -> int:
    """Where a node answers SIP."""
    port = data_dir.addresses(node.data_dir)["sip"]["port"]
    assert isinstance(port, int)
    return port
