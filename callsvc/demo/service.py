"""A service of the demonstration's own: every process of it, on free ports, in a directory that is made afresh."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from callsvc import data_dir
from callsvc.clock import Clock
from callsvc.config import Settings, load
from callsvc.errors import CallsvcError, UsageError
from callsvc.store.embedded.system_user import die_with_parent

MARK = ".made-by-callsvc-demo"
START_S = 150.0
STOP_S = 15.0
# Whatever the settings file says: nothing of the demonstration may reach a real database, broker or store.
OWN = {
    "CALLSVC_WEB__HOST": "127.0.0.1",
    "CALLSVC_WEB__PORT": "0",
    "CALLSVC_WEB__PUBLIC_URL": "",
    "CALLSVC_MEDIA__HOST": "127.0.0.1",
    "CALLSVC_MEDIA__PORT": "0",
    "CALLSVC_MEDIA__PUBLIC_URL": "",
    "CALLSVC_MEDIA__RTP_PORTS": "[0, 0]",
    "CALLSVC_MEDIA__KEEP_RAW": "always",
    "CALLSVC_MQTT__URL": "",
    "CALLSVC_MQTT__PORT": "0",
    "CALLSVC_DATABASE__URL": "",
    "CALLSVC_STORE__URL": "",
    "CALLSVC_WORKER__HOST": "127.0.0.1",
    "CALLSVC_WORKER__PORT": "0",
}


class ServiceFailed(CallsvcError):
    """The service of the demonstration did not start."""

    default_hint = "Run `callsvc doctor`; the logs lie in the demonstration's data/logs."


def fresh(directory: Path) -> Path:
    """An empty directory for the service's data. Only one that an earlier demonstration made is emptied.

    Raises `UsageError` when something else lies there or nothing can, and `DataDirBusy` when a service runs on it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            "{directory} cannot be made: {why}.",
            hint="Name another directory with --out.",
            directory=directory,
            why=error,
        ) from None
    if any(directory.iterdir()):
        if not (directory / MARK).is_file():
            raise UsageError(
                "{directory} holds something that no demonstration put there.",
                hint="Name another directory with --out.",
                directory=directory,
            )
        if (directory / "run").is_dir():
            os.close(data_dir.lock(directory))
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    directory = directory.absolute()
    (directory / MARK).write_text("The next demonstration empties this directory.\n", encoding="utf-8")
    return directory


@asynccontextmanager
async def running(
    directory: Path, clock: Clock, wanted: Mapping[str, str] | None = None
) -> AsyncIterator[Settings]:
    """The service on `directory` (an absolute path) for as long as the block lasts; the settings that lead to it.

    `wanted` are further settings, as environment variables. Raises `ServiceFailed` with the end of what it said.
    """
    environment = os.environ | OWN | {"CALLSVC_DATA_DIR": str(directory)} | dict(wanted or {})
    said = directory / "serve.log"
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callsvc", "serve"),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_ends_with_us(),
        )
    try:
        with _environment(environment):
            settings = load()
        await _until_ready(process, directory, said, clock)
        yield settings
    finally:
        await _stop(process)


class _environment:  # noqa: N801  a block, not a thing
    """The settings are read as the service reads them."""

    def __init__(self, wanted: dict[str, str]) -> None:
        self._wanted, self._before = wanted, dict(os.environ)

    def __enter__(self) -> None:
        os.environ.update(self._wanted)

    def __exit__(self, *_exc: object) -> None:
        os.environ.clear()
        os.environ.update(self._before)


async def _until_ready(
    process: asyncio.subprocess.Process, directory: Path, said: Path, clock: Clock
) -> None:
    until = clock.monotonic() + START_S
    while clock.monotonic() < until:
        if process.returncode is not None:
            break
        if await asyncio.to_thread(_all_ready, directory):
            return
        await asyncio.sleep(0.1)
    raise ServiceFailed("The service did not start: {why}", why=await asyncio.to_thread(_last_words, said))


def _all_ready(directory: Path) -> bool:
    found = data_dir.addresses(directory)
    return all(part in found and _ready(found[part]) for part in ("media", "web", "worker"))


def _last_words(said: Path) -> str:
    return " | ".join(said.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])


def _ready(part: dict[str, object]) -> bool:
    try:
        with urllib.request.urlopen(f"http://{part['host']}:{part['port']}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def _ends_with_us() -> Callable[[], None]:
    """However the demonstration ends, nothing of its service stays behind."""
    parent = os.getpid()
    return lambda: die_with_parent(parent, signal.SIGTERM)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ctrl-C lets calls end, a second one ends them, and what does not listen is killed."""
    for _ in range(2):
        if process.returncode is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            continue
        return
    process.kill()
    await process.wait()
