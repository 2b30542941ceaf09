"""The data directory: what lies where, which version of the layout it has, and who runs on it.

VERSION     number of the layout
keys/       secrets, for the owner alone
spool/      recordings while and after the call      objects/   the local object store
outbox/     events that nobody has taken yet         logs/      a file per process
postgres/   the embedded database                    run/       sockets, locks, ports.json

docs/reference/files.md names everything else that may lie there.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from callsvc import logs
from callsvc.errors import ConfigurationError, DataDirBusy, DataDirTooNew

LAYOUT: Final = 1
PARTS: Final = ("keys", "spool", "outbox", "objects", "logs", "run")


def prepare(path: Path) -> Path:
    """The directory with its parts, made where they are missing; its absolute path.

    Raises `DataDirTooNew`, having touched nothing, when a newer version wrote it, and `ConfigurationError` when it
    cannot be used at all.
    """
    path = path.absolute()
    version = path / "VERSION"
    try:
        if version.exists():
            check_version(path)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in PARTS:
            (path / part).mkdir(mode=0o700, exist_ok=True)
        _close(path / "keys")
        if not version.exists():
            replace(version, f"{LAYOUT}\n")
    except OSError as error:
        raise ConfigurationError(
            "The data directory {path} cannot be used: {why}.",
            hint="Choose another with --data-dir, or correct its owner and rights.",
            path=path,
            why=error,
        ) from None
    return path


def check_version(path: Path) -> None:
    """Raises `DataDirTooNew`, or `ConfigurationError` when VERSION holds no number."""
    text = (path / "VERSION").read_text(encoding="utf-8", errors="replace").strip()
    if not text.isascii() or not text.isdigit():
        raise ConfigurationError(
            "{file} holds no version number.", hint="Restore it from the backup.", file=path / "VERSION"
        )
    if int(text) > LAYOUT:
        raise DataDirTooNew(
            "The data directory {path} has layout {found}; this version of the service knows {known}.",
            path=path,
            found=text,
            known=LAYOUT,
        )


def captions_socket(path: Path) -> Path:
    """Where the captions process takes the sound of calls from the media node: its owner alone can reach it."""
    return path / "run" / "captions.sock"


def lock(path: Path) -> int:
    """Hold the directory for one service; a file descriptor that must stay open. Raises `DataDirBusy`.

    The kernel lets go of it when the process ends, however it ends.
    """
    descriptor = os.open(path / "run" / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DataDirBusy("Another service already runs on {path}.", path=path) from None
    return descriptor


def secret(path: Path, name: str) -> str:
    """The secret text `keys/<name>`, made at first use, whoever comes first."""
    file = path / "keys" / name
    if not file.exists():
        mine = file.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
        _write(mine, secrets.token_urlsafe(32))
        try:
            os.link(mine, file)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    if not (text := file.read_text(encoding="utf-8").strip()):
        raise ConfigurationError(
            "{file} is empty: whoever knew that would be let in.",
            hint="Restore it from the backup, or remove it: the next start makes another.",
            file=file,
        )
    return text


def addresses(path: Path) -> dict[str, Any]:
    """Where the running service's parts are to be found, by part: run/ports.json; empty when none runs."""
    try:
        found = json.loads((path / "run" / "ports.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def write_addresses(path: Path, found: dict[str, Any]) -> None:
    replace(path / "run" / "ports.json", json.dumps(found, indent=2, sort_keys=True) + "\n")


def replace(file: Path, text: str) -> None:
    """Write a small file so that a reader sees the old text or the new, never a half; for the owner alone."""
    mine = file.with_name(f".{file.name}.{os.getpid()}")
    _write(mine, text)
    os.replace(mine, file)


def _close(keys: Path) -> None:
    """Take from others the reading of secrets that a copy or a restore left open, and say so: they may have been read."""
    for file in keys.iterdir():
        with suppress(OSError):
            mode = file.stat().st_mode
            if stat.S_ISREG(mode) and file.suffix != ".pub" and mode & 0o077:
                file.chmod(mode & 0o700)
                logs.get("data_dir").warning("key_was_open", key=file.name)


def _write(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
