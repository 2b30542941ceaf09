"""PostgreSQL as it may lie on a machine, and a data directory of each kind to copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from callsvc.store.embedded import binaries
from callsvc.store.embedded.binaries import Binaries
from callsvc.store.embedded.cluster import Cluster

HERE = {found.major: found for found in binaries.candidates()}


@pytest.fixture(params=[15, 18], scope="module")
def version(request: pytest.FixtureRequest) -> Iterator[Binaries]:
    """PostgreSQL 15 as Debian has it, 18 as the wheel has it."""
    found = HERE.get(request.param)
    if found is None:
        pytest.skip(f"PostgreSQL {request.param} IS NOT ON THIS MACHINE: not tested with it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(binaries.VARIABLE, str(found.directory))
        yield found


@pytest.fixture(scope="module")
def seed(version: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that was made and has never run; to be copied."""
    base = tmp_path_factory.mktemp("seed")
    Cluster(base / "data", base / "run").prepare()
    return base / "data"
