"""The units hand the installation's keys over as systemd does it: by a real systemd, where a test may start one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from callsvc.recordings.credential_keys import CredentialKeyRing, new_content
from tests.support.house import ROOT
from tests.support.systemd import NotHere, once

pytestmark = pytest.mark.evidence

NAME = "callsvc-keys"
NEED_KEYS = ("callsvc", "callsvc-media", "callsvc-web", "callsvc-worker")


def unit(name: str) -> str:
    return (ROOT / "deploy" / "systemd" / f"{name}.service").read_text()


def test_every_unit_that_needs_keys_names_the_credential_and_no_other_does() -> None:
    named = {
        path.stem
        for path in (ROOT / "deploy" / "systemd").glob("*.service")
        if f"LoadCredentialEncrypted={NAME}\n" in path.read_text()
    }
    assert named == set(NEED_KEYS)


@pytest.mark.timeout(200)
def test_a_real_systemd_decrypts_the_credential_and_the_program_finds_its_keys(tmp_path: Path) -> None:
    content = new_content()
    # The unit as it is installed, but for the program, and for what would hide the sources of this test.
    left_out = "After|Wants|Type|User|Group|ExecStart|Restart|RestartSec|PrivateTmp|ProtectHome|WantedBy"
    text = re.sub(rf"^(?:{left_out})=.*\n", "", unit("callsvc-worker"), flags=re.MULTILINE)
    text = text.replace("[Unit]\n", "[Unit]\nDefaultDependencies=no\n").replace(
        "[Service]\n",
        "[Service]\nType=oneshot\nEnvironment=CALLSVC_KEYS__SOURCE=credential\n"
        f"Environment=PYTHONPATH={ROOT}\nExecStart={sys.executable} -m callsvc keys show\n",
    )
    text = text.replace("Environment=CALLSVC_CONFIG=/etc/callsvc/callsvc.toml\n", "")
    try:
        said = once(tmp_path, text, json.dumps(content).encode(), NAME)
    except NotHere:
        pytest.skip("this machine lets a test start no systemd")
    assert "credential" in said
    assert content["current"] in said


def test_keys_are_found_in_a_directory_as_systemd_makes_it(tmp_path: Path) -> None:
    """What LoadCredential= leaves for a service: a directory and a file that only its user may read, and nobody write."""
    directory = tmp_path / "credentials" / "callsvc-worker.service"
    directory.mkdir(parents=True)
    content = new_content()
    (directory / NAME).write_text(json.dumps(content))
    (directory / NAME).chmod(0o400)
    directory.chmod(0o500)
    ring = CredentialKeyRing(NAME, tmp_path / "keys", {"CREDENTIALS_DIRECTORY": str(directory)})
    assert ring.wraps_with == content["current"]
    assert ring.unwrap(ring.wrap(bytes(32))) == bytes(32)
    assert [path.name for path in directory.iterdir()] == [NAME]
