"""Structured logs: a static event name and fields; personal data under one field that can be dropped.

    log = logs.get("media")
    log.info("leg_joined", call=call_id, transport="webrtc")

A value that is personal goes into `pii={...}`; unless the settings say otherwise it is replaced by the names of its
keys, so that a log line never carries a name, a number or a word that somebody said.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Protocol, TextIO

import structlog

from callsvc.clock import Clock, SystemClock, isoformat


def _stamp(clock: Clock) -> structlog.typing.Processor:
    def add(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["at"] = isoformat(clock.utc_now())
        return event

    return add


def _without_personal_data(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    personal = event.get("pii")
    if isinstance(personal, dict):
        event["pii"] = sorted(personal)
    return event


def configure(
    process: str,
    *,
    level: str = "info",
    form: str = "json",
    file: Path | None = None,
    personal: bool = False,
    clock: Clock | None = None,
) -> None:
    """Send this process's log to `file` (JSON lines, appended) or to standard error.

    `form` is "json" or "text" and holds for standard error; a file is always JSON.
    """
    stream: TextIO = sys.stderr if file is None else file.open("a", encoding="utf-8", buffering=1)
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _stamp(clock or SystemClock()),
    ]
    if not personal:
        processors.append(_without_personal_data)
    # Without local variables: they hold what people said and typed.
    plain = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    processors.append(structlog.processors.ExceptionRenderer(plain))
    if form == "text" and file is None:
        processors.append(structlog.dev.ConsoleRenderer(timestamp_key="at"))
    else:
        processors.append(structlog.processors.JSONRenderer(ensure_ascii=False, default=str))
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(process=process)
    # Libraries speak through the standard module; their warnings belong in the same place, their chatter does not.
    logging.basicConfig(stream=stream, level=logging.WARNING, format="%(name)s: %(message)s", force=True)


class Wishes(Protocol):
    """What the settings say of logs."""

    @property
    def level(self) -> str: ...

    @property
    def format(self) -> str: ...

    @property
    def personal(self) -> bool: ...


def follow(process: str, wishes: Wishes) -> None:
    """Log to standard error as the settings say."""
    configure(process, level=wishes.level, form=wishes.format, personal=wishes.personal)


def get(part: str) -> structlog.typing.FilteringBoundLogger:
    """The log of one part of the service."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger(part=part)
    return log
