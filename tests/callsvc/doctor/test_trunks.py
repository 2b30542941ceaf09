"""`callsvc doctor` on where calls come from: SIP, and an Asterisk that is configured."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from callsvc.config import AsteriskSettings, Settings, SipSettings, load
from callsvc.doctor.finding import Finding, State
from callsvc.doctor.trunks import speaks_wide, trunks

pytestmark = pytest.mark.house


class Answers(BaseHTTPRequestHandler):
    """What an Asterisk says of itself."""

    version = "22.8.0"
    missing = ""

    def do_GET(self) -> None:
        allowed = self.headers.get("Authorization") == "Basic Y2FsbHN2YzpzZWNyZXQ="
        lost = bool(self.missing) and self.path.endswith(self.missing)
        self.send_response(401 if not allowed else 404 if lost else 200)
        self.end_headers()
        self.wfile.write(b'{"system": {"version": "%s"}}' % self.version.encode())

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def asterisk() -> Iterator[tuple[str, type[Answers]]]:
    class Mine(Answers):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Mine)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Mine
    server.shutdown()
    thread.join()
    server.server_close()


def finding(url: str, password: str = "secret", form: str = "slin16") -> Finding:
    wanted = AsteriskSettings.model_validate({"url": url, "password": password, "format": form})
    (one,) = trunks(Settings.model_construct(asterisk=wanted))
    return one


def test_where_nothing_is_configured_nothing_is_said() -> None:
    assert list(trunks(load())) == []


def test_an_asterisk_that_answers_is_named_with_its_version(asterisk: tuple[str, type[Answers]]) -> None:
    found = finding(asterisk[0])
    assert found.state is State.GOOD
    assert "22.8.0" in found.says("sv")


def test_what_stands_in_the_way_is_said_with_what_to_do(asterisk: tuple[str, type[Answers]]) -> None:
    url, answers = asterisk
    assert finding(url, "wrong").outcome == "password"
    answers.missing = "chan_audiosocket.so"
    assert finding(url).says("en") == "Asterisk has not loaded chan_audiosocket.so."
    answers.missing, answers.version = "", "20.6.0~dfsg"
    narrow = finding(url)
    assert (narrow.outcome, narrow.state) == ("narrow", State.DEGRADED)
    assert "slin" in narrow.to_do("sv")
    assert finding(url, form="slin").state is State.GOOD
    assert finding("http://127.0.0.1:1").outcome == "silent"


def about_sip(**wished: object) -> Finding:
    wanted = SipSettings.model_validate({"host": "127.0.0.1", "port": 0, "peers": ["127.0.0.1"], **wished})
    (one,) = trunks(Settings.model_construct(sip=wanted))
    return one


def test_sip_that_could_not_be_answered_is_found_out() -> None:
    assert about_sip().state is State.GOOD
    assert about_sip(peers=[]).outcome == "nobody"
    assert about_sip(peers=["pbx.example"]).outcome == "peers"
    assert about_sip(host="0.0.0.0").outcome == "address"
    assert about_sip(host="192.0.2.1").outcome == "address"
    assert about_sip(peers=["0.0.0.0/0"]).state is State.DEGRADED
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        assert about_sip(port=other.getsockname()[1]).outcome == "taken"


@pytest.mark.parametrize(
    ("version", "wide"),
    [
        ("22.6.1", False),
        ("22.7.0", True),
        ("23.0.0", False),
        ("20.17.0", True),
        ("18.20.0", False),
        ("git-x", True),
    ],
)
def test_which_versions_tell_the_rate(version: str, wide: bool) -> None:
    assert speaks_wide(version) is wide
