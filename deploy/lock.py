"""Makes the locks of deploy/lock from pyproject.toml: every package with its version and hashes, and no address.

The widest lock is resolved first and binds the others, so that one version of a package serves every purpose.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "deploy" / "lock"
UV = ROOT / ".venv" / "bin" / "uv"
FORM = ["--universal", "--python-version", "3.11", "--generate-hashes"]
FORM += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header", "--quiet"]

GROUPS = {
    "run": (),
    "dev": ("test", "check", "docs"),
    "bench": ("test", "check", "docs", "bench"),
}
ALONE = ("build", "lock")
# sippy asks for it, for pages that are not used.
NOT_RUN = "flask; python_version < '3'"


def compile_lock(target: Path, *options: str) -> None:
    subprocess.run([UV, "pip", "compile", *FORM, *options, "-o", target], cwd=ROOT, check=True)


def groups(names: tuple[str, ...]) -> list[str]:
    return [word for name in names for word in ("--group", f"pyproject.toml:{name}")]


def main() -> int:
    upgrade = ["--upgrade"] if "--upgrade" in sys.argv[1:] else []
    with tempfile.TemporaryDirectory() as folder:
        widest = Path(folder) / "all.txt"
        if not upgrade and (LOCKS / "bench.txt").exists():
            widest.write_text((LOCKS / "bench.txt").read_text())
        everything = groups((*GROUPS["bench"], *ALONE))
        compile_lock(widest, "pyproject.toml", "--extra", "desk", *everything, *upgrade)
        left_out = Path(folder) / "left-out.txt"
        left_out.write_text(f"{NOT_RUN}\n")
        for name, parts in GROUPS.items():
            overrides = () if parts else ("--override", str(left_out))
            wanted = ("pyproject.toml", *groups(parts), *overrides)
            compile_lock(LOCKS / f"{name}.txt", *wanted, "-c", str(widest), "--upgrade")
        for name in ALONE:
            compile_lock(LOCKS / f"{name}.txt", *groups((name,)), "-c", str(widest), "--upgrade")
        desk = Path(folder) / "desk.in"
        desk.write_text("pyaudio\n")
        compile_lock(LOCKS / "desk.txt", str(desk), "-c", str(widest), "--upgrade")
    for lock in sorted(LOCKS.glob("*.txt")):
        packages = sum(1 for line in lock.read_text().splitlines() if "==" in line)
        print(f"{lock.relative_to(ROOT)}: {packages} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
