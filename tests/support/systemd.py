"""A real systemd of a test's own: process 1 of namespaces that it does not leave. Needs root; else `NotHere`."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

PATIENCE_S = 90.0
SYSTEMD = Path("/lib/systemd/systemd")
TARGET = "[Unit]\nDefaultDependencies=no\nWants=once.service\n"


class NotHere(Exception):
    """This machine lets nobody start one."""


def once(base: Path, unit: str, credential: bytes, name: str) -> str:
    """Start a unit, with `credential` encrypted to a host key under `name`; what it says on standard output."""
    if os.geteuid() != 0 or not SYSTEMD.exists() or shutil.which("systemd-creds") is None:
        raise NotHere
    said, content = base / "said", base / "content"
    (base / "once.service").write_text(
        unit.replace("[Service]\n", f"[Service]\nStandardOutput=file:{said}\n")
    )
    (base / "only.target").write_text(TARGET)
    content.write_bytes(credential)
    files = shlex.join([str(base / "once.service"), str(base / "only.target")])
    script = base / "start"
    script.write_text(
        f"""set -e
mount --make-rprivate /
mount --make-rshared /
for directory in /run /var/lib /etc/systemd/system; do mount -t tmpfs tmpfs $directory; done
mkdir -p /run/credstore.encrypted /var/lib/systemd
systemd-creds setup
systemd-creds encrypt --with-key=host --name={name} {shlex.quote(str(content))} /run/credstore.encrypted/{name}
cp {files} /etc/systemd/system/
container=test exec {SYSTEMD} --system --unit=only.target --show-status=false --log-target=null
"""
    )
    with (base / "log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "-pfmunC", "--mount-proc", "--kill-child", "sh", script], stdout=log, stderr=log
        )
        try:
            end = time.monotonic() + PATIENCE_S
            while not (said.exists() and said.read_text().endswith("\n")):
                if process.poll() is not None:
                    raise NotHere((base / "log").read_text())
                assert time.monotonic() < end, (base / "log").read_text()
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()
    return said.read_text()
