"""Makes the reference pages that follow from the code: settings, commands, API, metrics.

python docs/pages.py            write them
python docs/pages.py --check    say which are not what the code says; exit code 1 if any
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from callsvc import cli
from callsvc.config_command import reference_page

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
KINDS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}


def commands_page() -> str:
    """Every command with its arguments and options, as its own --help tells them."""
    lines = [
        "# Commands",
        "",
        "Made by `python docs/pages.py` from the command line itself; change the help texts there.",
        "",
        "| exit code | means |",
        "| --- | --- |",
        "| 0 | done |",
        "| 1 | a fault |",
        "| 2 | wrong usage |",
        "| 3 | settings that cannot work |",
        "| 4 | a part that is needed is missing: `callsvc doctor` says which |",
        "| 5 | something sealed is not what it was |",
        "",
        "`callsvc --install-completion` teaches the shell to complete all of this.",
        "",
    ]
    group: Any = typer.main.get_command(cli.app)
    context: Any = group.make_context("callsvc", [], resilient_parsing=True)
    for name in group.list_commands(context):
        lines += _command(f"callsvc {name}", group.get_command(context, name), 2)
    return "\n".join(lines)


def _command(path: str, command: Any, level: int) -> list[str]:
    lines = [f"{'#' * level} {path}", ""]
    about = (command.help or command.short_help or "").replace("\b", "").strip()
    if about:
        lines += [*about.splitlines(), ""]
    rows = [row for parameter in command.params if (row := _parameter(parameter))]
    if rows:
        lines += ["| argument or option | what it does |", "| --- | --- |", *rows, ""]
    for name, inner in getattr(command, "commands", {}).items():
        lines += _command(f"{path} {name}", inner, level + 1)
    return lines


def _parameter(parameter: Any) -> str:
    if getattr(parameter, "hidden", False):
        return ""
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
    else:
        name = ", ".join([*parameter.opts, *parameter.secondary_opts])
        if not parameter.is_flag:
            name += f" {(parameter.metavar or parameter.type_descriptor.annotation.__name__).upper()}"
    default = parameter.default
    shown = "" if default in (None, False, "") or callable(default) else f" (default: {default})"
    return f"| `{name}` | {(getattr(parameter, 'help', '') or '').strip()}{shown} |"


def metrics_page() -> str:
    """Every metric that the service declares."""
    lines = [
        "# Metrics",
        "",
        "Made by `python docs/pages.py` from the declarations in the code; change the texts there.",
        "",
        "Each process answers `/metrics` with the figures that it counts, in Prometheus' text form. Labels hold states and",
        "kinds, never an id and never anything about a person. A counter's name ends in `_total` there.",
        "",
        "| metric | kind | labels | what it counts | declared in |",
        "| --- | --- | --- | --- | --- |",
    ]
    found = [row for path in (ROOT / "callsvc").rglob("*.py") for row in _metrics(path)]
    return "\n".join([*lines, *sorted(found, key=lambda row: row.split("`")[1]), ""])


def _metrics(path: Path) -> Iterator[str]:
    module = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS):
            continue
        words = [str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)]
        if len(words) < 2:
            continue  # a counter of Python's own
        keywords = {word.arg: word.value for word in node.keywords}
        labels = node.args[2] if len(node.args) > 2 else keywords.get("labelnames", ast.List(elts=[]))
        named = ", ".join(f"`{label}`" for label in ast.literal_eval(labels))
        about = words[1].rstrip(".")
        yield f"| `{words[0]}` | {KINDS[node.func.id]} | {named} | {about} | `{module}` |"


def api_page() -> str:
    """Every address of the API, from its description in OpenAPI."""
    described = json.loads((ROOT / "callsvc" / "web" / "ui" / "openapi.json").read_text(encoding="utf-8"))
    lines = [
        "# API",
        "",
        "Made by `python docs/pages.py` from the OpenAPI description that the pages are built against; a running service",
        "gives it at `/api/openapi.json`, with every field. What goes wrong is answered as `application/problem+json`,",
        "with a `title` for people, a `code` for programs and what to do.",
        "",
    ]
    groups: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            about = " ".join(operation.get("description", "").split())
            tag = operation.get("tags", ["other"])[0]
            groups.setdefault(tag, []).append(f"| `{method.upper()} {path}` | {about} |")
    for tag, rows in sorted(groups.items()):
        lines += [
            f"## {tag[:1].upper()}{tag[1:]}",
            "",
            "| address | what it does |",
            "| --- | --- |",
            *rows,
            "",
        ]
    return "\n".join(lines)


def transcript_page() -> str:
    """The JSON form of a transcript, with its schema."""
    from callsvc.transcripts.out.form import TranscriptForm

    schema = json.dumps(TranscriptForm.model_json_schema(mode="serialization"), indent=1, ensure_ascii=False)
    return "\n".join(
        [
            "# Transcript format",
            "",
            "Made by `python docs/pages.py` from the types that write it (`callsvc/transcripts/out/form.py`).",
            "",
            "`callsvc transcript export CALL_ID call.json` and `GET /api/calls/{call_id}/transcript/export?form=json` write a",
            "transcript as one JSON object, version 2. Times are milliseconds from the start of the call. `layer` says whether",
            "the words are the machine's, corrected by people, or a redacted copy; `verified` is true only where a person has",
            "been over every utterance. Words that were taken out have an empty `text` and the number of their stretch.",
            "`callsvc evaluate` reads the same form as a reference, and version 1, which had no `values`.",
            "",
            "`marks` are words that may be personal data. `values` are what spoken numbers come to, beside the words that were",
            "said: `trettiofem` 35, `fem komma två` 5.2, `den tredje maj` --05-03. A time of which nobody said whether it is by",
            "night or by day has both readings, `02:30|14:30`. What may as well be none (*en*, *sex*, *tjugo tre*) has no value.",
            "",
            "```json",
            schema,
            "```",
            "",
        ]
    )


PAGES = {
    "settings.md": reference_page,
    "cli.md": commands_page,
    "api.md": api_page,
    "metrics.md": metrics_page,
    "transcript-format.md": transcript_page,
}


def main() -> int:
    stale = []
    for name, make in PAGES.items():
        page, text = REFERENCE / name, make().rstrip() + "\n"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                page.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"docs/reference/{name}: {'is not what the code says' if '--check' in sys.argv else 'written'}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
