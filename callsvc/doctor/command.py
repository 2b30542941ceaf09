"""`callsvc doctor`: what is missing, wrong or degraded on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import typer

from callsvc.config import Settings, load
from callsvc.doctor import environment, machine, parts, passkeys, service, sign_in, trunks
from callsvc.doctor.finding import Finding, State, fault, good
from callsvc.errors import ConfigurationError, MissingPart
from callsvc.locale import text

app = typer.Typer(help="Say what is missing, wrong or degraded on this machine, and what to do.")

MARKS = {State.GOOD: "✓", State.OPTIONAL: "·", State.DEGRADED: "!", State.FAULT: "✗"}
COLOURS = {State.GOOD: "green", State.OPTIONAL: "", State.DEGRADED: "yellow", State.FAULT: "red"}


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one thing after the other."""
    yield from environment.ignored()
    yield machine.python()
    yield service.directory(settings.data_dir)
    yield machine.disk(settings.data_dir, settings.media.spool_min_free_mb)
    yield from service.ports(settings)
    yield service.database(settings)
    yield service.broker(settings)
    yield from trunks.trunks(settings)
    yield from sign_in.sign_in(settings)
    yield from passkeys.passkeys(settings)
    yield parts.suppressor(settings)
    yield parts.recogniser(settings)
    yield parts.screens()
    yield parts.sound_devices()
    yield machine.scheduling()
    yield machine.memory()
    yield machine.clock()


@app.command()
def doctor(
    as_json: bool = typer.Option(False, "--json", help="Machine-readable, on standard output."),
    data_dir: Path | None = typer.Option(None, "--data-dir", help="Look at this data directory."),  # noqa: B008  typer's way
) -> None:
    """Say what is missing, wrong or degraded on this machine, and what to do.

    Exit codes: 0 nothing stands in the way (something may be degraded), 4 something is missing or wrong.
    """
    try:
        settings = load(data_dir=data_dir)
        findings = [good("settings")]
    except ConfigurationError as error:
        settings = Settings.model_construct()
        findings = [fault("settings", "unusable", detail=error.said)]
    findings += examine(settings)
    if as_json:
        typer.echo(json.dumps(report(findings, settings.language), indent=2, ensure_ascii=False))
    else:
        for line in page(findings, settings.language):
            typer.echo(line)
    if any(finding.state is State.FAULT for finding in findings):
        raise typer.Exit(MissingPart.exit_code)


def report(findings: list[Finding], lang: str) -> dict[str, object]:
    """The findings as plain data."""
    return {
        "ok": all(finding.state is not State.FAULT for finding in findings),
        "findings": [
            {
                "check": finding.check,
                "outcome": finding.outcome,
                "state": finding.state.value,
                "says": finding.says(lang),
                "to_do": finding.to_do(lang),
            }
            for finding in findings
        ],
    }


def page(findings: list[Finding], lang: str) -> Iterator[str]:
    """The findings for a person: state by shape and word, and by colour only besides."""
    words = {state: text(f"doctor.state.{state}", lang) for state in State}
    width = max(len(word) for word in words.values())
    for finding in findings:
        label = f"{MARKS[finding.state]} {words[finding.state]:{width}}"
        yield f"{typer.style(label, fg=COLOURS[finding.state] or None)}  {finding.says(lang)}"
        if to_do := finding.to_do(lang):
            yield f"{'':{width + 4}}{to_do}"
    faults = sum(finding.state is State.FAULT for finding in findings)
    worse = sum(finding.state is State.DEGRADED for finding in findings)
    yield ""
    yield (
        text("doctor.sum.good", lang)
        if faults + worse == 0
        else text("doctor.sum.bad", lang, faults=faults, degraded=worse)
    )
