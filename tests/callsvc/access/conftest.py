"""Hashes that cost next to nothing, but where their cost is what is tested."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from callsvc.access import passwords


@pytest.fixture(autouse=True)
def cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "as_argon2id" not in request.node.name:
        monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
