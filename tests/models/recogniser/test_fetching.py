"""A model is fetched from a real server over HTTP: resumed where it was cut off, and never accepted unchecked."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.recogniser import fetching
from models.recogniser.catalogue import Entry, catalogue
from models.recogniser.directory import check
from models.recogniser.errors import FetchFailed, ModelUnusable
from tests.support.model_files import model_directory, weights

pytestmark = pytest.mark.transcripts

WEIGHTS = hashlib.sha256(weights("WhisperSpec")).hexdigest()
ENTRY = replace(catalogue()["kb-whisper-tiny"], name="tiny", weights=WEIGHTS)


class Hub(ThreadingHTTPServer):
    """Serves a directory as the hub does: large files by a redirect that tells their digest, small ones with git's."""

    def __init__(self, files: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.asked: list[tuple[str, str, str]] = []
        self.cut_after = 0
        """Bytes of a body after which the connection is dropped, once."""
        self.lies = False

    def url(self, repository: str, file: str, revision: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{repository}/{revision}/{file}"


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: object) -> None:
        return None

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        hub, name = self.server, self.path.rsplit("/", 1)[1]
        hub.asked.append((self.command, name, self.headers.get("Range", "")))
        path = hub.files / name
        if not path.is_file():
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = path.read_bytes()
        if name == "model.bin" and "/elsewhere/" not in self.path:
            self.send_response(302)
            self.send_header("Location", f"/elsewhere/{name}")
            digest = hashlib.sha256(data if not hub.lies else b"other").hexdigest()
            self.send_header("X-Linked-Etag", f'"{digest}"')
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first = int(found[1]) if (found := re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))) else 0
        self.send_response(206 if first else 200)
        git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        self.send_header("ETag", f'"{git}"')
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        if not body:
            return
        if name == "model.bin" and 0 < hub.cut_after < len(data) - first:
            self.wfile.write(data[first : first + hub.cut_after])
            hub.cut_after = 0
            self.close_connection = True
            return
        self.wfile.write(data[first:])


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    served = Hub(model_directory(tmp_path / "published"))
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        served.shutdown()
        served.server_close()
        thread.join()


def test_a_fetched_model_is_whole_and_holds_what_a_later_change_is_found_by(hub: Hub, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    card = fetching.fetch(ENTRY, tmp_path / "models", lambda *one: told.append(one), address=hub.url)
    assert card.path == tmp_path / "models" / "tiny"
    assert check(card.path) == card
    size = (hub.files / "model.bin").stat().st_size
    assert ("model.bin", size, size) in told
    (card.path / "config.json").write_text('{"lang_ids": [], "alignment_heads": []}')
    with pytest.raises(ModelUnusable):
        check(card.path)


def test_what_is_here_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    fetching.fetch(ENTRY, tmp_path / "models", address=hub.url)
    hub.asked.clear()
    fetching.fetch(ENTRY, tmp_path / "models", address=hub.url)
    assert hub.asked == []


def test_a_connection_that_drops_is_taken_up_where_it_ended(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after = 40
    fetching.fetch(ENTRY, tmp_path / "models", address=hub.url)
    assert ("GET", "model.bin", "bytes=40-") in hub.asked


def test_an_earlier_try_is_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    part = tmp_path / "models" / "tiny.part"
    part.mkdir(parents=True)
    (part / "model.bin").write_bytes((hub.files / "model.bin").read_bytes()[:25])
    fetching.fetch(ENTRY, tmp_path / "models", address=hub.url)
    assert ("GET", "model.bin", "bytes=25-") in hub.asked
    assert not part.exists()


def test_what_differs_from_the_publishers_digest_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    hub.lies = True
    with pytest.raises(FetchFailed, match="digest differs"):
        fetching.fetch(ENTRY, tmp_path / "models", address=hub.url)
    assert not (tmp_path / "models" / "tiny").exists()
    assert not (tmp_path / "models" / "tiny.part" / "model.bin").exists()


def test_weights_that_are_not_the_catalogues_are_thrown_away_whatever_the_hub_says(
    hub: Hub, tmp_path: Path
) -> None:
    other = bytearray((hub.files / "model.bin").read_bytes())
    other[40] ^= 1
    (hub.files / "model.bin").write_bytes(other)
    with pytest.raises(FetchFailed, match="digest differs"):
        fetching.fetch(ENTRY, tmp_path / "models", address=hub.url)
    assert not (tmp_path / "models" / "tiny").exists()


def test_a_file_that_differs_from_an_earlier_try_is_found(hub: Hub, tmp_path: Path) -> None:
    part = tmp_path / "models" / "tiny.part"
    part.mkdir(parents=True)
    (part / "tokenizer.json").write_bytes(b"x" * (hub.files / "tokenizer.json").stat().st_size)
    with pytest.raises(FetchFailed, match="digest differs"):
        fetching.fetch(ENTRY, tmp_path / "models", address=hub.url)
    fetching.fetch(ENTRY, tmp_path / "models", address=hub.url)


def test_what_every_model_has_alike_may_be_left_out_by_its_publisher(hub: Hub, tmp_path: Path) -> None:
    (hub.files / "preprocessor_config.json").unlink()
    assert fetching.fetch(ENTRY, tmp_path / "models", address=hub.url).languages


def test_a_publisher_without_the_model_is_named(hub: Hub, tmp_path: Path) -> None:
    (hub.files / "model.bin").unlink()
    with pytest.raises(FetchFailed, match=r"has no model\.bin"):
        fetching.fetch(ENTRY, tmp_path / "models", address=hub.url)


def test_a_network_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="cannot be reached"):
        fetching.fetch(ENTRY, tmp_path, address=lambda *_: "http://127.0.0.1:1/x")


def test_the_catalogue_names_each_model_at_one_commit_with_all_that_a_choice_needs() -> None:
    found = catalogue()
    assert {name.removeprefix("kb-whisper-") for name in found if name.startswith("kb-")} == {
        "tiny", "base", "small", "medium", "large",
    }  # fmt: skip
    for entry in found.values():
        assert isinstance(entry, Entry)
        assert re.fullmatch(r"[0-9a-f]{40}", entry.revision)
        assert re.fullmatch(r"[0-9a-f]{64}", entry.weights)
        assert entry.licence in ("Apache-2.0", "MIT")
        assert len(entry.wer) == 3
        assert entry.use in ("live", "final", "both")
    assert len({entry.revision for entry in found.values()}) == len(found)
