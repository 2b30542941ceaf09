"""What a check found wrong, each with a sentence that says what and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from callsvc.locale import text


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was sealed. `code` is a key of the catalogue under recordings.verify."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def sentence(self, lang: str = "sv") -> str:
        return text(f"recordings.verify.{self.code}", lang, **self.values)


@dataclass(slots=True)
class Report:
    """What was checked, and what came of it. `notes` say what could not be checked and are no fault."""

    label: str
    recording: str = ""
    call: str = ""
    outcome: str = ""
    chain: str = ""
    stamped_at: str = ""
    records: int = 0
    sound_s: float = 0.0
    decrypted: bool = False
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    def find(self, code: str, **values: object) -> None:
        self.findings.append(Finding(code, values))

    def note(self, code: str, **values: object) -> None:
        self.notes.append(Finding(code, values))

    def as_json(self, lang: str = "sv") -> dict[str, object]:
        return {
            "label": self.label,
            "recording": self.recording,
            "call": self.call,
            "ok": self.ok,
            "outcome": self.outcome,
            "chain": self.chain,
            "stamped_at": self.stamped_at,
            "records": self.records,
            "sound_s": round(self.sound_s, 3),
            "decrypted": self.decrypted,
            "findings": [_dump(f, lang) for f in self.findings],
            "notes": [_dump(f, lang) for f in self.notes],
        }


def _dump(finding: Finding, lang: str) -> dict[str, object]:
    return {"code": finding.code, "values": dict(finding.values), "sentence": finding.sentence(lang)}


def clock_time(seconds: float) -> str:
    """`12:05` or `1:02:05`."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"
