"""The built screens: every address of a screen is the page, and no trick with a path gets anything else."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from callsvc.errors import MissingPart
from callsvc.web import pages
from tests.support.web import Served

pytestmark = pytest.mark.screens


@pytest.mark.parametrize(
    "address", ["/", "/samtal/5878afa2-4922-4270-a8d6-fcf4807ab79b", "/drift", "/no/such/page"]
)
def test_every_address_of_a_screen_is_the_page(site: Served, address: str) -> None:
    with site.client() as client:
        answer = client.get(address)
        assert answer.status_code == 200
        assert '<div id="app">' in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "/assets/../index.html",
        "/assets/..%2f..%2fapp.py",
        "/assets/%2e%2e/%2e%2e/app.py",
        "/assets/....//app.py",
        "/assets//etc/passwd",
        "/assets/%00.js",
        "/assets/.hidden.js",
        "/assets/built-from.sha256",
        "/../../../../etc/passwd",
        "//etc/passwd",
        "/..%5c..%5capp.py",
        "/index.html",
        "/built-from.sha256",
        "/callsvc.toml",
        "/api",
        "/api/../app.py",
    ],
)
def test_no_trick_with_a_path_gets_a_file(site: Served, target: str) -> None:
    # Written by hand: a client library would tidy the path before it is sent.
    with socket.create_connection(("127.0.0.1", site.port)) as raw:
        raw.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    # Either nothing, or the page that tells whoever reads it that there is nothing.
    assert head.split(b" ")[1] in (b"404", b"400") or b'<div id="app">' in body, head
    assert b"root:" not in body
    assert b"import" not in body


def test_garbage_on_the_port_is_refused_and_the_next_is_served(site: Served) -> None:
    for garbage in (
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"\x00" * 5000,
        b"INVITE sip:a@b SIP/2.0\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", site.port)) as raw:
            raw.settimeout(10)
            raw.sendall(garbage)
            raw.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: raw.recv(65536), b""))
        assert not answer or answer.split(b" ")[1].startswith(b"4")
    with site.client() as client:
        assert client.get("/healthz").status_code == 200


def test_without_built_screens_the_start_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="not been built") as refused:
        pages.router(tmp_path)
    assert "make run" in refused.value.hint


def test_the_second_half_of_an_answer_waits_for_nobody(site: Served) -> None:
    assert site.listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
