"""What holds for every test: it belongs to one part, and nothing of the machine it runs on reaches into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["tests.support.database", "tests.support.web", "tests.support.provider"]

PARTS = frozenset({"call", "quiet", "media", "evidence", "transcripts", "screens", "house"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    astray = sorted(
        {
            item.nodeid.split("::")[0]
            for item in items
            if len(PARTS & {m.name for m in item.iter_markers()}) != 1
        }
    )
    if astray:
        raise pytest.UsageError(
            f"every test belongs to one part ({', '.join(sorted(PARTS))}); these do not: {', '.join(astray)}"
        )


@pytest.fixture(scope="session", autouse=True)
def bare_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No setting, model or settings file of this machine is seen, by the test or by the processes that it starts."""
    settings = tmp_path_factory.mktemp("settings") / "callsvc.toml"
    settings.write_text("")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CALLSVC_")]:
            patch.delenv(name)
        patch.setenv("CALLSVC_CONFIG", str(settings))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("TZ", "UTC")
        yield settings
