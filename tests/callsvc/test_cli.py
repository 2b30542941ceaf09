"""What the program says when the machine, and not the program, is at fault; and when somebody wants it to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from callsvc import cli

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


@pytest.mark.parametrize(
    ("words", "said", "to_do", "code"),
    [
        (("verify", "nothing"), "varken en katalog eller ett samtals beteckning", "callsvc verify --help", 2),
        (("clean", "none.wav", "x.wav"), "Filen none.wav finns inte", "Kontrollera namnet", 2),
        (("models", "check", "no-such-model"), "/no-such-model finns inte", "Ange en hel", 4),
        (
            ("keys", "restore", "nowhere"),
            "copy anger en sökväg som inte går att använda",
            "restore --help` visar",
            2,
        ),
        (
            ("export", "x", "out", "--reason", "x"),
            "Ange varför bevispaketet lämnas ut",
            "åklagarens begäran",
            2,
        ),
        (("clean", "--nonsense"), "Flaggan --nonsense finns inte", "clean --help` visar", 2),
        (("serve", "--port", "x"), "--port ska vara ett heltal", "serve --help` visar", 2),
        (("serve", "--port"), "Flaggan --port ska följas av ett värde", "--help` visar", 2),
        (("models", "use", "x", "y"), "purpose ska vara något av final, live", "use --help` visar", 2),
        (("user", "add"), "name saknas", "user add --help` visar", 2),
        (("verify", "a", "b"), "b går inte att använda här", "verify --help` visar", 2),
        (("nonsense",), "nonsense går inte att använda här", "--help` visar", 2),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_what_went_wrong_and_what_to_do_are_in_the_readers_language(
    words: tuple[str, ...],
    said: str,
    to_do: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["callsvc", *words])
    told = {}
    for lang in ("sv", "en"):
        monkeypatch.setenv("CALLSVC_LANGUAGE", lang)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == code
        told[lang] = capsys.readouterr().err.splitlines()
    assert told["sv"][0].startswith("Fel: ")
    assert told["sv"][1].startswith("Gör så här: ")
    assert said in told["sv"][0]
    assert to_do in told["sv"][1]
    assert told["en"][0].startswith("Error: ")
    assert said not in told["en"][0]


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
