"""What the service stands on: its data directory, its ports, database, broker."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg

from callsvc import data_dir
from callsvc.config import Settings
from callsvc.doctor.finding import Finding, fault, good
from callsvc.errors import ConfigurationError, DataDirBusy, DataDirTooNew
from callsvc.store.database import describe
from callsvc.store.embedded import binaries

WAIT_S: Final = 3


def directory(path: Path) -> Finding:
    """Whether the data directory can be used; one that is not there yet is made at the first start."""
    path = path.absolute()
    if not path.exists():
        above = path.parent
        while not above.exists():
            above = above.parent
        if not os.access(above, os.W_OK | os.X_OK):
            return fault("directory", "forbidden", path=path)
        return Finding("directory", "later", good("directory").state, {"path": path})
    if not os.access(path, os.W_OK | os.X_OK):
        return fault("directory", "forbidden", path=path)
    try:
        if (path / "VERSION").exists():
            data_dir.check_version(path)
    except DataDirTooNew:
        return fault("directory", "too_new", path=path, known=data_dir.LAYOUT)
    except ConfigurationError:
        return fault("directory", "no_version", path=path)
    if path.stat().st_mode & 0o022:
        return fault("directory", "open", path=path)
    secret = [file for file in (path / "keys").glob("*") if file.suffix != ".pub"]
    open_keys = sorted(file.name for file in secret if file.stat().st_mode & 0o077)
    if open_keys:
        return fault("directory", "open_keys", path=path / "keys", names=", ".join(open_keys))
    return good("directory", path=path)


def runs(path: Path) -> bool:
    """Whether a service runs on the data directory now."""
    if not (path / "run" / "serve.lock").exists():
        return False
    try:
        os.close(data_dir.lock(path))
    except DataDirBusy:
        return True
    return False


def ports(settings: Settings) -> Iterator[Finding]:
    """Whether the ports of the settings are free; while the service runs, that it does."""
    if runs(settings.data_dir):
        yield Finding("ports", "running", good("ports").state, {"path": settings.data_dir.absolute()})
        return
    wanted = [
        ("web.port", settings.web.host, settings.web.port),
        ("media.port", settings.media.host, settings.media.port),
        ("worker.port", settings.worker.host, settings.worker.port),
    ]
    if settings.asterisk.url:
        wanted.append(("asterisk.port", settings.asterisk.host, settings.asterisk.port))
    if not settings.mqtt.url:
        wanted.append(("mqtt.port", "127.0.0.1", settings.mqtt.port))
    taken = False
    for name, host, port in wanted:
        outcome = bindable(host, port)
        if outcome != "good":
            taken = True
            yield fault("ports", outcome, setting=name, host=host, port=port)
    if not taken:
        yield good("ports", list=", ".join(str(port) if port else "*" for _, _, port in wanted))


def bindable(host: str, port: int) -> str:
    """`good`; `taken` when another program listens there; `unusable` when the address cannot be listened on."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return "taken" if error.errno == errno.EADDRINUSE else "unusable"
    return "good"


def database(settings: Settings) -> Finding:
    """Whether the configured database answers, or the embedded one has its programs."""
    if url := settings.database.url.get_secret_value():
        return _server(url)
    made_by = settings.data_dir / "postgres" / "PG_VERSION"
    major = int(made_by.read_text().strip()) if made_by.exists() else None
    try:
        usable = binaries.candidates()
    except ConfigurationError:
        return fault(
            "database", "misnamed", variable=binaries.VARIABLE, path=os.environ.get(binaries.VARIABLE, "")
        )
    for found in usable:
        if major in (None, found.major):
            return good("database", major=found.major, path=found.directory)
    if usable:
        here = ", ".join(str(found.major) for found in usable)
        return fault("database", "other_version", major=major, here=here)
    return fault("database", "missing", variable=binaries.VARIABLE)


def _server(url: str) -> Finding:
    try:
        where = ", ".join(str(value) for value in describe(url).values())
        with psycopg.connect(url, connect_timeout=WAIT_S) as conn:
            version = conn.info.server_version // 10_000
    except (psycopg.Error, OSError):
        return fault("database", "silent")
    if version < binaries.OLDEST:
        return fault("database", "too_old", major=version, oldest=binaries.OLDEST)
    return Finding("database", "answers", good("database").state, {"major": version, "where": where})


def broker(settings: Settings) -> Finding:
    """Whether the configured broker can be reached; the embedded one needs nothing."""
    if not settings.mqtt.url:
        return good("broker")
    address = urlsplit(settings.mqtt.url)
    host, port = address.hostname or "", address.port or 1883
    try:
        socket.create_connection((host, port), timeout=WAIT_S).close()
    except OSError:
        return fault("broker", "silent", host=host, port=port)
    return Finding("broker", "answers", good("broker").state, {"host": host, "port": port})
