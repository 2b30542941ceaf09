"""The installation's keys are made once, are for the owner alone, and are rotated without touching a recording."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from callsvc.errors import ConfigurationError
from callsvc.recordings.errors import KeyMissing
from callsvc.recordings.keys import FileKeyRing, WrappedKey
from tests.support.house import ROOT

pytestmark = pytest.mark.evidence

KEY = bytes(range(32))


def test_what_was_wrapped_comes_back_also_after_a_restart_and_a_rotation(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path / "keys")
    wrapped = ring.wrap(KEY)
    assert KEY not in wrapped.wrapped
    ring.rotate()
    assert ring.wrap(KEY).by != wrapped.by
    assert FileKeyRing(tmp_path / "keys").unwrap(wrapped) == KEY


def test_a_ring_that_was_open_before_the_rotation_knows_the_new_key(tmp_path: Path) -> None:
    old, new = FileKeyRing(tmp_path / "keys"), FileKeyRing(tmp_path / "keys")
    new.rotate()
    assert old.unwrap(new.wrap(KEY)) == KEY
    assert new.signer in old.trusted()


def test_another_installations_key_or_a_changed_one_does_not_open(tmp_path: Path) -> None:
    ring, other = FileKeyRing(tmp_path / "keys"), FileKeyRing(tmp_path / "others")
    wrapped = ring.wrap(KEY)
    for wrong in (
        other.wrap(KEY),
        WrappedKey(wrapped.by, wrapped.wrapped[:-1] + bytes([wrapped.wrapped[-1] ^ 1])),
        WrappedKey(wrapped.by, b""),
    ):
        with pytest.raises(KeyMissing):
            ring.unwrap(wrong)


def test_only_the_owner_can_read_the_keys(tmp_path: Path) -> None:
    FileKeyRing(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_signatures_are_checked_by_openssl(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path / "keys")
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes("vad som helst å ä ö".encode())
    signature.write_bytes(ring.sign(message.read_bytes()))
    (public,) = (tmp_path / "keys").glob("signing-*.pub")
    command: list[str | Path] = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-rawin",
        "-pubin",
        "-inkey",
        public,
        "-sigfile",
        signature,
        "-in",
        message,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "Signature Verified Successfully")
    message.write_bytes(b"something else")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_processes_that_start_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from callsvc.recordings.keys import FileKeyRing;"
        " ring = FileKeyRing(Path(sys.argv[1])); print(ring.wrap(bytes(32)).by, ring.signer)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path / "keys"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert len(answers) == 1
    assert len(answers.pop().split()) == 2


def test_keys_that_cannot_be_read_are_a_clear_refusal_and_are_not_replaced(tmp_path: Path) -> None:
    FileKeyRing(tmp_path / "keys")
    file = tmp_path / "keys" / "installation.json"
    file.write_bytes(b"{}")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        FileKeyRing(tmp_path / "keys")
    assert file.read_bytes() == b"{}"
    assert os.listdir(tmp_path / "keys")
