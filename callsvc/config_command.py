"""`callsvc config`: the settings in force, and the reference page."""

from __future__ import annotations

import json
from typing import Any

import typer
from pydantic import BaseModel, SecretStr

from callsvc.config import Settings, load

app = typer.Typer(no_args_is_help=True, help="Show the settings in force, or the page that explains them.")


@app.command()
def show() -> None:
    """Print the settings in force as JSON, secrets left out."""
    typer.echo(json.dumps(load().model_dump(mode="json"), indent=2, ensure_ascii=False))


@app.command()
def reference() -> None:
    """Print docs/reference/settings.md."""
    typer.echo(reference_page(), nl=False)


def reference_page() -> str:
    """The page that lists every setting with its default, its variable and what it does."""
    lines = [
        "# Settings",
        "",
        "Made by `callsvc config reference` from `callsvc.config.Settings`; change the descriptions there.",
        "A setting is read from `callsvc.toml` (or the file that `CALLSVC_CONFIG` names), then from the environment,",
        "then from the command's flags; the later wins.",
        "",
    ]
    plain = {k: f for k, f in Settings.model_fields.items() if not _is_group(f.annotation)}
    lines += ["## Top level", "", *_table("", plain)]
    for name, field in Settings.model_fields.items():
        if _is_group(field.annotation):
            group: type[BaseModel] = field.annotation  # type: ignore[assignment]  # _is_group has looked
            lines += [
                f"## [{name}]",
                "",
                (group.__doc__ or "").strip(),
                "",
                *_table(name, dict(group.model_fields)),
            ]
    return "\n".join(lines)


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _table(group: str, fields: dict[str, Any]) -> list[str]:
    rows = ["| setting | default | environment | what it does |", "| --- | --- | --- | --- |"]
    for name, field in fields.items():
        default = "" if field.is_required() else field.default
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        shown = "" if default in (None, "") else f"`{default}`"
        variable = "CALLSVC_" + (f"{group}__{name}" if group else name).upper()
        rows.append(f"| `{name}` | {shown} | `{variable}` | {field.description} |")
    return [*rows, ""]
