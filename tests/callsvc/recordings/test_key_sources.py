"""Keys from a systemd credential and from a security module serve as those in files do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callsvc.config import load
from callsvc.errors import ConfigurationError, UsageError
from callsvc.recordings.credential_keys import CredentialKeyRing, content_of_files, new_content
from callsvc.recordings.errors import KeyMissing
from callsvc.recordings.key_source import key_ring, rotating
from callsvc.recordings.keys import FileKeyRing, WrappedKey
from callsvc.recordings.keys_command import app
from tests.support.house import ROOT
from tests.support.module import MODULE, TOKEN, make_token

pytestmark = pytest.mark.evidence

KEY = bytes(range(32))

# What a ring must do, in a process of its own: a module reads its configuration once a process.
IN_A_MODULE = """
import sys, threading
from pathlib import Path
from callsvc.recordings.errors import KeyMissing
from callsvc.recordings.keys import WrappedKey
from callsvc.recordings.module_keys import ModuleKeyRing
from callsvc.recordings.reader import open_recording
from callsvc.recordings.recorder import Recorder
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from tests.support.recordings import TRACKS, Sink, lengths, play, wait_for

module, token, pin, base = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])
key = bytes(range(32))
ring = ModuleKeyRing(module, token, pin, base / "keys")
wrapped = ring.wrap(key)
assert key not in wrapped.wrapped and len(wrapped.wrapped) == 40
assert ring.unwrap(wrapped) == key
ring.trusted()[ring.signer].verify(ring.sign(b"message"), b"message")

again = ModuleKeyRing(module, token, pin, base / "keys")
assert (again.wraps_with, again.signer) == (ring.wraps_with, ring.signer)
assert again.unwrap(wrapped) == key

bad = bytes([wrapped.wrapped[0] ^ 1]) + wrapped.wrapped[1:]
for wrong in (WrappedKey(wrapped.by, bad), WrappedKey("00" * 8, wrapped.wrapped), WrappedKey("no hex", b"")):
    try:
        ring.unwrap(wrong)
    except KeyMissing:
        continue
    raise AssertionError(wrong)

ring.rotate()
assert ring.wraps_with != wrapped.by and ring.unwrap(wrapped) == key
assert set(ring.trusted()) == {again.signer, ring.signer}
assert ring.forget({wrapped.by}) == [] and ring.unwrap(wrapped) == key
assert ring.forget(set()) == [wrapped.by]
try:
    ring.unwrap(wrapped)
except KeyMissing:
    pass
else:
    raise AssertionError("a key that was destroyed still opens")

results = []
threads = [threading.Thread(target=lambda: results.append(ring.unwrap(ring.wrap(key)) == key)) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
assert results == [True] * 8

recorder = Recorder(base / "spool", ring, node="node-1", sink=Sink())
recorder.start()
name = "11111111-1111-4111-8111-111111111111"
call = recorder.open(name, "report", TRACKS)
play(call, TRACKS, frames=range(100))
call.close(lengths(TRACKS, 100), "hangup")
wait_for(lambda: not recorder.open_calls())
recorder.stop()
source = DirectorySource(base / "spool" / name)
assert verify(source, keys=ring).findings == []
assert open_recording(source, ring).tracks["caller.rx"].samples == 16000
print("all good")
"""


def test_a_security_module_wraps_signs_rotates_and_destroys(tmp_path: Path) -> None:
    environment = make_token(tmp_path / "module")
    done = subprocess.run(
        [sys.executable, "-c", IN_A_MODULE, MODULE, TOKEN, "123456", tmp_path / "data"],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "all good\n"), done.stderr


def test_the_settings_choose_the_module_and_its_pin_file(tmp_path: Path) -> None:
    environment = make_token(tmp_path / "module")
    chosen = {
        "CALLSVC_KEYS__SOURCE": "pkcs11",
        "CALLSVC_KEYS__PKCS11_MODULE": str(MODULE),
        "CALLSVC_KEYS__PKCS11_PIN_FILE": str(tmp_path / "module" / "pin"),
    }

    def keys(command: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "callsvc", "keys", command, "--data-dir", tmp_path / "data"],
            env=os.environ | environment | chosen,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    (tmp_path / "module" / "pin").write_text("000000")
    assert "går inte att använda (PinIncorrect)" in keys("show", 3)
    (tmp_path / "module" / "pin").write_text("123456")
    before = keys("show")
    assert "pkcs11" in before
    assert "0 av 0" in keys("rotate")
    assert keys("show") != before
    assert "1 äldre" in keys("rewrap")
    # Nothing of ours lies in files but the public halves.
    assert {path.suffix for path in (tmp_path / "data" / "keys").iterdir()} <= {".pub", ""}


def test_a_module_that_is_not_there_is_a_clear_refusal(tmp_path: Path) -> None:
    for wrong in ({}, {"pkcs11_module": tmp_path / "none.so"}):
        with pytest.raises(ConfigurationError):
            key_ring(load(data_dir=tmp_path, keys={"source": "pkcs11", **wrong}))
    with pytest.raises(ConfigurationError, match="PIN"):
        key_ring(
            load(
                data_dir=tmp_path,
                keys={"source": "pkcs11", "pkcs11_module": MODULE, "pkcs11_pin_file": tmp_path / "no"},
            )
        )


def credential(directory: Path, content: object) -> dict[str, str]:
    directory.mkdir(exist_ok=True)
    (directory / "callsvc-keys").write_text(json.dumps(content))
    return {"CREDENTIALS_DIRECTORY": str(directory)}


def test_a_credential_holds_the_keys_and_its_successor_opens_what_it_wrapped(tmp_path: Path) -> None:
    first = new_content()
    ring = CredentialKeyRing("callsvc-keys", tmp_path / "keys", credential(tmp_path / "c", first))
    wrapped, signature = ring.wrap(KEY), ring.sign(b"x")
    second = new_content(first)
    later = CredentialKeyRing("callsvc-keys", tmp_path / "keys", credential(tmp_path / "c", second))
    assert later.unwrap(wrapped) == KEY
    assert later.wraps_with != ring.wraps_with
    later.trusted()[ring.signer].verify(signature, b"x")
    with pytest.raises(KeyMissing):
        later.unwrap(WrappedKey("unknown", wrapped.wrapped))
    # No secret lies in a file of ours.
    assert {path.suffix for path in (tmp_path / "keys").iterdir()} == {".pub"}


def test_keys_move_from_files_into_a_credential(tmp_path: Path) -> None:
    files = FileKeyRing(tmp_path / "keys")
    moved = credential(tmp_path / "c", content_of_files(tmp_path / "keys"))
    ring = CredentialKeyRing("callsvc-keys", tmp_path / "keys", moved)
    assert ring.unwrap(files.wrap(KEY)) == KEY
    assert (ring.signer, ring.wraps_with) == (files.signer, files.wraps_with)


@pytest.mark.parametrize("content", [[], {}, {"current": "a", "keys": {}, "signing": ""}, "x", None])
def test_a_credential_that_holds_no_keys_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(ConfigurationError, match="credential"):
        CredentialKeyRing("callsvc-keys", tmp_path / "keys", credential(tmp_path / "c", content))
    with pytest.raises(ConfigurationError, match="not handed over"):
        CredentialKeyRing("callsvc-keys", tmp_path / "keys", {})


def test_the_command_makes_credentials_and_cannot_rotate_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = CliRunner().invoke(app, ["credential", "--data-dir", str(tmp_path)])
    assert made.exit_code == 0
    following = CliRunner().invoke(
        app, ["credential", "--rotate", "--data-dir", str(tmp_path)], input=made.output
    )
    assert following.exit_code == 0
    assert set(json.loads(made.output)["keys"]) < set(json.loads(following.output)["keys"])
    monkeypatch.setenv(
        "CREDENTIALS_DIRECTORY", credential(tmp_path / "c", json.loads(made.output)).popitem()[1]
    )
    settings = load(data_dir=tmp_path, keys={"source": "credential"})
    assert key_ring(settings).wraps_with == json.loads(made.output)["current"]
    with pytest.raises(UsageError, match="administrator"):
        rotating(settings)
