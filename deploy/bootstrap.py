"""Sets up what a make target needs, with nothing but Debian and Python's standard library; run again, it does nothing twice.

    python3 deploy/bootstrap.py run|test|check|docs|bench|lock|train [--desk]

    Debian packages   apt-get, as root or by sudo; without either the command is named and the exit code is 4
    .venv             made by Python's own venv; packages from a lock with hashes (deploy/lock), by pip
    callsvc           installed editable, without fetching anything more
    screens           built by hatch_build.py with the node that comes as a wheel

What is done is stamped in .venv/.setup.json. A set-up that was cut off leaves `unfinished` there, and the next run
begins the environment afresh. Exit codes: 0 ready, 1 fault, 2 usage, 4 a needed part is missing.
"""

from __future__ import annotations

import argparse
import fcntl
import glob
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".setup.json"
LOCKS = ROOT / "deploy" / "lock"
OLDEST, NEWEST = (3, 11), (3, 13)


class MissingPart(Exception):
    """Something that only the administrator of this machine can install is not there."""


class SetupFault(Exception):
    """A step of the set-up failed."""


@dataclass(frozen=True)
class DebianPackage:
    """A Debian package, and the files (patterns) of which one shows that the machine has it, by whatever way."""

    name: str
    shown_by: tuple[str, ...]
    service: str = ""

    def present(self) -> bool:
        return any(glob.glob(pattern) for pattern in self.shown_by)


@dataclass(frozen=True)
class Purpose:
    """What one kind of work needs: a lock of Python packages, and Debian packages."""

    lock: str
    debian: tuple[DebianPackage, ...] = field(default=())


def _program(name: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for folder in ("/usr/bin", "/usr/sbin", "/usr/local/bin"))


COMPILER = (
    DebianPackage("gcc", _program("gcc")),
    DebianPackage("libc6-dev", ("/usr/include/stdlib.h",)),
    DebianPackage("python3-dev", ("/usr/include/python3*/Python.h",)),
)
ESPEAK = DebianPackage("espeak-ng", _program("espeak-ng"))
TEST_PEERS = (
    DebianPackage("baresip-core", _program("baresip")),
    DebianPackage("chromium", _program("chromium")),
    DebianPackage("coturn", _program("turnserver"), service="coturn"),
    DebianPackage("dbus-daemon", _program("dbus-daemon")),
    ESPEAK,
    DebianPackage("fonts-dejavu-core", ("/usr/share/fonts/truetype/dejavu/*.ttf",)),
    DebianPackage("libharfbuzz-subset0", ("/usr/lib/*/libharfbuzz-subset.so.0",)),  # these two draw PDFs
    DebianPackage("libpangoft2-1.0-0", ("/usr/lib/*/libpangoft2-1.0.so.0", "/lib/*/libpangoft2-1.0.so.0")),
    DebianPackage("kamailio-tls-modules", ("/usr/lib/*/kamailio/modules/tls.so",), service="kamailio"),
    DebianPackage("mosquitto", _program("mosquitto"), service="mosquitto"),
    DebianPackage("openssl", _program("openssl")),
    DebianPackage("postgresql-15", ("/usr/lib/postgresql/*/bin/postgres",)),
    DebianPackage("pulseaudio", _program("pulseaudio")),
    DebianPackage("pulseaudio-utils", _program("pacat")),
    DebianPackage("rtpengine-daemon", _program("rtpengine"), service="rtpengine-daemon"),
    DebianPackage("softhsm2", _program("softhsm2-util")),
    DebianPackage("sip-tester", _program("sipp")),
    DebianPackage("systemd", _program("systemd-analyze")),
    DebianPackage("twinkle-console", _program("twinkle-console")),
)
DESK = (*COMPILER, DebianPackage("portaudio19-dev", ("/usr/include/portaudio.h",)))
ALSA_PLUGINS = DebianPackage("libasound2-plugins", ("/usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so",))

PURPOSES = {
    "run": Purpose("run"),
    "test": Purpose("dev", (*TEST_PEERS, *DESK, ALSA_PLUGINS)),
    "check": Purpose("dev"),
    "docs": Purpose("dev"),
    "bench": Purpose("bench", (*TEST_PEERS, *DESK, ALSA_PLUGINS)),
    "lock": Purpose("lock"),
    "train": Purpose("", (*COMPILER, ESPEAK)),
}
# Packages without a wheel, of Python alone: they are built by what is installed for building, and fetch nothing.
SOURCES = ("--no-binary", "sippy", "--no-build-isolation")
# Tests and measurements use sound devices, too.
WITH_DESK = ("test", "bench")
# A lock that holds another one's packages: what is set up for tests is set up for running, too.
HOLDS = {"dev": ("run",), "bench": ("run", "dev")}


def say(text: str) -> None:
    print(f"set-up: {text}", flush=True)


def digest(*paths: Path) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes())
    return whole.hexdigest()


def run(command: Sequence[str | Path], what: str, hint: str = "") -> None:
    """Run a command quietly; show the end of what it said only when it fails."""
    words, began = [str(part) for part in command], time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        while True:
            try:
                output, _ = child.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                pulse(f"{time.monotonic() - began:.0f} s")
    pulse("")
    if child.returncode != 0:
        sys.stderr.write("\n".join(output.splitlines()[-30:]) + "\n")
        raise SetupFault(f"{what} failed (exit code {child.returncode}). {hint}".strip())


def pulse(text: str) -> None:
    """Where somebody watches: a line that is written over, as a sign of life."""
    if sys.stdout.isatty():
        print(f"\r        {text:40}\r", end="", flush=True)


# --- Debian packages -------------------------------------------------------------------------------------------


def as_root() -> list[str] | None:
    """The words to put before a command so that it runs as root; None where there is no way."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    may = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    return ["sudo"] if may or sys.stdin.isatty() else None


def install_debian(packages: Iterable[DebianPackage]) -> None:
    """Install what is missing; raise MissingPart with the command to type where this process may not."""
    missing = [package for package in packages if not package.present()]
    if not missing:
        return
    names = [package.name for package in missing]
    prefix = as_root()
    if prefix is None or shutil.which("apt-get") is None:
        raise MissingPart(
            f"these Debian packages are missing: {' '.join(names)}\n"
            f"        Install them with:  sudo apt-get update && sudo apt-get install {' '.join(names)}"
        )
    say(f"installing Debian packages: {' '.join(names)}")
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    apt = [*quiet, "apt-get", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
    run([*quiet, "dpkg", "--configure", "-a"], "finishing an interrupted package installation")
    run([*apt, "update"], "apt-get update", "Is there a network?")
    if "postgresql-15" in names and not Path("/etc/postgresql-common").exists():
        # The tests start databases of their own; a server for the whole machine is nobody's wish.
        text = "create_main_cluster = false\n"
        script = f"mkdir -p /etc/postgresql-common/createcluster.d && printf '{text}' > "
        run(
            [*prefix, "sh", "-c", script + "/etc/postgresql-common/createcluster.d/callsvc.conf"],
            "preparing PostgreSQL",
        )
    run([*apt, "install", "-y", "--no-install-recommends", *names], "apt-get install")
    if Path("/run/systemd/system").exists():
        for package in missing:
            if package.service:
                run(
                    [*prefix, "systemctl", "disable", "--now", package.service],
                    f"leaving {package.service} switched off",
                )
    still = [package.name for package in missing if not package.present()]
    if still:
        raise SetupFault(f"apt-get installed them, yet these cannot be found: {' '.join(still)}")


# --- the environment -------------------------------------------------------------------------------------------


@dataclass
class Stamp:
    """What has been done in .venv: the digest of each lock that is installed, and of the project's own metadata."""

    locks: dict[str, str] = field(default_factory=dict)
    project: str = ""
    unfinished: bool = False

    @classmethod
    def read(cls) -> Stamp | None:
        try:
            return cls(**json.loads(STAMP.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self) -> None:
        new = STAMP.with_suffix(".new")
        new.write_text(json.dumps(self.__dict__, indent=1))
        os.replace(new, STAMP)


def base_python() -> str:
    """The interpreter outside every virtual environment, for an environment that outlives the one in use."""
    return getattr(sys, "_base_executable", "") or sys.executable


def ensure_venv_module() -> None:
    """Debian's Python comes without what a new environment gets its pip from."""
    if importlib.util.find_spec("ensurepip") is None:
        python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        install_debian([DebianPackage(f"{python}-venv", (f"/usr/lib/{python}/ensurepip",))])


def ensure_environment() -> Stamp:
    python = VENV / "bin" / "python"
    stamp = Stamp.read()
    if stamp is not None and not stamp.unfinished and python.exists():
        return stamp
    ensure_venv_module()
    say("making .venv afresh: the last set-up was cut off" if stamp is not None else "making .venv")
    run([base_python(), "-m", "venv", "--clear", VENV], "making the environment")
    return Stamp()


def names_in(lock: Path) -> set[str]:
    found = re.findall(r"^([A-Za-z0-9][\w.-]*)==", lock.read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def pip_install(lock: Path, *options: str) -> None:
    total, seen = len(names_in(lock)), 0
    ended: list[str] = []
    pip_words = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input")
    command: list[str | Path] = [VENV / "bin" / "python", *pip_words]
    command += ["--no-compile", "--no-deps", "--require-hashes", *options, "-r", lock]
    say(f"installing {total} Python packages of {lock.relative_to(ROOT)}")
    with subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            ended = [*ended[-29:], line]
            if line.startswith(("Collecting ", "Requirement already ")):
                seen += 1
                pulse(f"{seen} of {total}" if seen < total else "unpacking")
    pulse("")
    if pip.returncode != 0:
        sys.stderr.write("".join(ended))
        raise SetupFault("pip failed. Is there a network? The next run takes it up again.")


def install_lock(stamp: Stamp, name: str, *options: str) -> None:
    lock = LOCKS / f"{name}.txt"
    now = digest(lock)
    if any(stamp.locks.get(held) == digest(LOCKS / f"{held}.txt") for held in (name, *_held_in(name))):
        return
    stamp.unfinished = True
    stamp.write()
    pip_install(lock, *options)
    stamp.locks[name] = now
    for held in HOLDS.get(name, ()):
        stamp.locks.pop(held, None)
    remove_strangers(stamp)
    stamp.unfinished = False
    stamp.write()


def _held_in(name: str) -> list[str]:
    return [greater for greater, held in HOLDS.items() if name in held]


def remove_strangers(stamp: Stamp) -> None:
    """Take away what no lock names any more, so that a missing dependency is not hidden by an old one."""
    wanted = {"pip", "setuptools", "callsvc"}
    for name in stamp.locks:
        wanted |= names_in(LOCKS / f"{name}.txt")
    listing = subprocess.run(
        [VENV / "bin" / "python", "-m", "pip", "list", "--disable-pip-version-check", "--format=freeze"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    there = {
        re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in listing.splitlines() if "==" in line
    }
    strangers = sorted(there - wanted)
    if strangers:
        say(f"removing what the locks no longer name: {' '.join(strangers)}")
        run(
            [VENV / "bin" / "python", "-m", "pip", "uninstall", "-q", "-y", *strangers],
            "removing old packages",
        )


def install_project(stamp: Stamp, desk: bool) -> None:
    python = VENV / "bin" / "python"
    if subprocess.run([python, ROOT / "hatch_build.py"], check=False).returncode != 0:
        raise SetupFault("building the screens failed. Is there a network? The next run takes it up again.")
    now = digest(ROOT / "pyproject.toml", ROOT / "hatch_build.py")
    if stamp.project != now:
        say("installing callsvc itself, editable")
        options = ["--disable-pip-version-check", "--no-input", "--no-deps", "--no-build-isolation"]
        run([python, "-m", "pip", "install", *options, "-e", ROOT], "installing callsvc")
        stamp.project = now
        stamp.write()
    if desk:
        install_lock(stamp, "desk", "--no-build-isolation")


def ensure_training(venv: Path) -> None:
    """An environment of its own, for training alone. No lock: which build of torch fits is the machine's to say."""
    wishes = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["train"]
    done = venv / ".installed"
    if done.exists() and json.loads(done.read_text()) == wishes:
        return
    say(f"installing what training needs in {venv.relative_to(ROOT)}: {' '.join(wishes)}")
    run([base_python(), "-m", "venv", "--clear", venv], "making the environment")
    run(
        [venv / "bin" / "python", "-m", "pip", "install", "-q", "--no-input", *wishes],
        "pip",
        "Is there a network?",
    )
    done.write_text(json.dumps(wishes))


def set_up(purpose: Purpose, desk: bool) -> None:
    install_debian((*purpose.debian, *(DESK if desk else ())))
    if not purpose.lock:
        ensure_venv_module()
        ensure_training(ROOT / "var" / "train")
        return
    stamp = ensure_environment()
    wheels_only = () if purpose.lock == "bench" else ("--only-binary", ":all:", *SOURCES)
    if purpose.lock == "lock":
        install_lock(stamp, "lock", *wheels_only)
        return
    install_lock(stamp, "build", *wheels_only)
    install_lock(stamp, purpose.lock, *wheels_only)
    install_project(stamp, desk)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("purpose", choices=sorted(PURPOSES))
    parser.add_argument("--desk", action="store_true", help="sound devices, too (compiles PyAudio)")
    wish = parser.parse_args()
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        print(f"set-up: needs Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}", file=sys.stderr)
        return 4
    # su and cron leave out the folders where dpkg and useradd live.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    began = time.monotonic()
    before = Stamp.read()
    try:
        with (ROOT / "pyproject.toml").open() as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)  # two set-ups at once take turns
            set_up(PURPOSES[wish.purpose], wish.desk or wish.purpose in WITH_DESK)
    except MissingPart as missing:
        print(f"set-up: {missing}", file=sys.stderr)
        return 4
    except SetupFault as fault:
        print(f"set-up: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nset-up: cut off; the next run repairs it", file=sys.stderr)
        return 130
    if before != Stamp.read():
        say(f"ready after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
