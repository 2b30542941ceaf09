"""What the program says when the machine, and not the program, is at fault; and when somebody wants it to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.house


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "callsvc", *words],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("lang", "label", "todo"), [("sv", "Fel: ", "Gör plats"), ("en", "Error: ", "Make room")]
)
def test_a_full_disk_is_told_in_the_readers_language(lang: str, label: str, todo: str) -> None:
    script = "import callsvc.cli as cli, errno, sys\n"
    script += (
        "def full(): raise OSError(errno.ENOSPC, 'No space left on device', '/srv/bundle/manifest.json')\n"
    )
    script += "cli.app = full\ncli.main()"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"CALLSVC_LANGUAGE": lang},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(label)
    assert "/srv/bundle/manifest.json" in done.stderr
    assert todo in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_of_ours_is_labelled_in_the_readers_language_even_where_the_settings_are_wrong() -> None:
    assert run("verify", "nothing", CALLSVC_LANGUAGE="en").stderr.startswith("Error: ")
    assert run("verify", "nothing", CALLSVC_LANGUAGE="sv").stderr.startswith("Fel: ")
    assert run("config", "show", CALLSVC_LANGUAGE="xx").stderr.startswith("Fel: ")


def test_ctrl_c_while_it_still_loads_ends_it_without_a_word() -> None:
    # Whoever runs the tests in the background has had Ctrl-C ignored, and children inherit that.
    script = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script += "import callsvc.cli as cli, time\n"
    script += "def slow():\n print('here', flush=True)\n time.sleep(60)\ncli.app = slow\ncli.main()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "here\n"
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=60)
    assert (program.returncode, said) == (130, "")
