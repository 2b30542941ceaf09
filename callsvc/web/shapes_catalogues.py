"""The API's shapes for what administrators edit: as a form, or as the text that it is kept as."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from callsvc.web.seen import SEEN
from callsvc.web.shapes import Shape, Who

DEEPEST = 12


def _shallow(value: dict[str, Any]) -> dict[str, Any]:
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [
            below
            for one in level
            for below in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]
        if not level:
            return value
    raise ValueError("nested too deep")


Body = Annotated[str, Field(max_length=60_000)]
Value = Annotated[dict[str, Any], AfterValidator(_shallow)]
Why = Annotated[str, SEEN, Field(min_length=3, max_length=300)]


class FormOption(Shape):
    """What can be chosen. Those that are data have names; the others are words of the pages."""

    value: str
    sv: str | None = None
    en: str | None = None


class FormField(Shape):
    """A place in a form. `fields` are those of a group, or of each entry of a list; `among` names the list beside it
    whose entries can be chosen. Bounds are of the number, or of how many there are. `default` holds where nothing stands.
    """

    name: str
    kind: Literal["text", "number", "flag", "choice", "choices", "list", "group"]
    required: bool
    default: bool | float | str | list[str] | None = None
    lang: str | None = None
    whole: bool = False
    least: float | None = None
    most: float | None = None
    longest: int | None = None
    among: str | None = None
    ordered: bool = False
    options: Annotated[list[FormOption], Field(default_factory=list)]
    fields: Annotated[list[FormField], Field(default_factory=list)]


class CatalogueVersion(Shape):
    """A text as it was saved. `undoes` is the version whose text it brought back; 0 is what came with the service."""

    version: int
    at: datetime
    by: Who | None
    why: str
    undoes: int | None


class NodeStanding(Shape):
    """What a media node goes by: `source` is `screens` (then `version` is one of those here), `settings` or `packaged`.

    `agrees`: it goes by what is in force. `here` is false for one that has gone away.
    """

    node: str
    here: bool
    agrees: bool
    version: int
    source: str
    refused_version: int | None
    refused_why: str


class CatalogueOut(Shape):
    """What is in force, and what was before, newest first. `in_settings`: a file that settings name goes before it.

    `nodes` is null for what the media nodes do not go by. `value` is what the text says; null when it cannot be read.
    """

    kind: str
    version: int
    body: str
    value: dict[str, Any] | None
    form: list[FormField]
    in_settings: bool
    nodes: list[NodeStanding] | None
    history: list[CatalogueVersion]


class CatalogueSummary(Shape):
    kind: str
    version: int
    latest: CatalogueVersion | None


class CatalogueList(Shape):
    catalogues: list[CatalogueSummary]


class CatalogueFault(Shape):
    """What is wrong, and at which field: in words, and as the way to it; `line` where the text cannot be read at all."""

    field: str
    at: list[str | int]
    message: str
    line: int | None


class CatalogueText(Shape):
    """A text; or a value, which is written over the text or else over that of `version`: what people wrote beside stays."""

    version: int = 0
    body: Body | None = None
    value: Value | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.body is None and self.value is None:
            raise ValueError("neither a text nor a value")
        return self


class CatalogueChange(CatalogueText):
    """A new text in place of `version`, the one that was looked at."""

    version: int
    why: Why


class CatalogueUndo(Shape):
    """Bring back the text of version `to` in place of `version`; 0 is what came with the service."""

    version: int
    to: Annotated[int, Field(ge=0)]
    why: Why


class CatalogueSaved(Shape):
    """The faults of a text; saved only when there are none, and then as `version`."""

    faults: list[CatalogueFault]
    version: int | None = None


class CatalogueCheck(Shape):
    """The faults of what was asked about, the text that it is, and what that says; null when it cannot be read."""

    faults: list[CatalogueFault]
    body: str
    value: dict[str, Any] | None


class CatalogueMerged(Shape):
    """Two people's changes in one: over `version`, the one in force. `both` are the places that both changed.

    `value` is null where what was sent cannot be read; `faults` say why.
    """

    version: int
    body: str
    value: dict[str, Any] | None
    both: list[list[str | int]]
    faults: list[CatalogueFault]


class ChangedLine(Shape):
    kind: Literal["same", "out", "in", "gap"]
    text: str


class CatalogueChanges(Shape):
    """What differs between two versions, with a little of what stands around it."""

    lines: list[ChangedLine]
