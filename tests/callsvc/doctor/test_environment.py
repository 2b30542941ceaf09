"""Variables that look like settings and are none."""

from __future__ import annotations

import pytest

from callsvc.doctor.environment import ignored

pytestmark = pytest.mark.house


def test_names_what_nothing_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSVC_WEB_PORT", "8080")
    monkeypatch.setenv("CALLSVC_WEB__PORT", "8080")
    (finding,) = ignored()
    assert finding.values["names"] == "CALLSVC_WEB_PORT"
    assert "CALLSVC_WEB__PORT" in finding.to_do("sv")


def test_says_nothing_where_all_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSVC_CONFIG", "callsvc.toml")
    monkeypatch.setenv("CALLSVC_LANGUAGE", "en")
    assert list(ignored()) == []
