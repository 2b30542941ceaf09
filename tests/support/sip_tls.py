"""A caller who speaks SIP over TLS, as the test wants it."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import time
from pathlib import Path

from tests.support.sip import HOST, PATIENCE_S, ByHand


def certificate(folder: Path) -> tuple[Path, Path]:
    """Certificate and key of a proxy named localhost, signed by itself."""
    made, key = folder / "trunk.crt", folder / "trunk.key"
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key)]
    wanted = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run(
        ["openssl", "req", "-x509", *new, *wanted, "-out", str(made)], check=True, capture_output=True
    )
    return made, key


class ByTls(ByHand):
    """One connection, over which whole messages come and go."""

    transport = "TLS"

    def __init__(self, port: int, trusted: Path) -> None:
        context = ssl.create_default_context(cafile=str(trusted))
        plain = socket.create_connection((HOST, port), PATIENCE_S)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.host, self.local = self.socket.getsockname()
        self.node = (HOST, port)
        self.number = 0
        self.came = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, start: str = "SIP/2.0 ", timeout_s: float = PATIENCE_S) -> str:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            head, found, rest = self.came.partition(b"\r\n\r\n")
            length = re.search(rb"(?mi)^Content-Length: *(\d+)", head)
            if found and length and len(rest) >= int(length[1]):
                self.came = rest[int(length[1]) :]
                text = (head + found + rest[: int(length[1])]).decode()
                if text.startswith(start):
                    return text
                continue
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            more = self.socket.recv(65_535)
            assert more, "the proxy hung up"
            self.came += more
        raise AssertionError(f"no answer {start!r}")

    def calls(self, body: str) -> None:
        """A call that is answered, acknowledged and ended along the way on which it came."""
        call_id = self.request("INVITE", body=body)
        taken = self.answer("SIP/2.0 200")
        way = [
            one.strip()
            for line in re.findall(r"(?mi)^Record-Route: *(.+?)\r$", taken)
            for one in line.split(",")
        ]
        routes = [f"Route: {one}" for one in reversed(way)]
        contact = re.search(r"(?mi)^Contact: *<([^>]+)>", taken)
        tag = re.search(r"(?mi)^To:.*;tag=(\S+)", taken)
        assert contact
        assert tag
        within = {"call_id": call_id, "to_tag": tag[1], "uri": contact[1]}
        self.request("ACK", *routes, cseq=1, **within)
        self.request("BYE", *routes, cseq=2, **within)
        assert "CSeq: 2 BYE" in self.answer("SIP/2.0 200")
