"""The API's shapes for what administrators edit as texts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from callsvc.web.shapes import Shape, Who

Body = Annotated[str, Field(max_length=60_000)]
Why = Annotated[str, Field(min_length=3, max_length=300)]


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

    `nodes` is null for what the media nodes do not go by.
    """

    kind: str
    version: int
    body: str
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
    """What is wrong, and at which field; `line` where the text cannot be read at all."""

    field: str
    message: str
    line: int | None


class CatalogueText(Shape):
    body: Body


class CatalogueChange(Shape):
    """A new text in place of `version`, the one that was looked at."""

    version: int
    body: Body
    why: Why


class CatalogueUndo(Shape):
    """Bring back the text of version `to` in place of `version`; 0 is what came with the service."""

    version: int
    to: Annotated[int, Field(ge=0)]
    why: Why


class CatalogueCheck(Shape):
    """The faults of a text; saved only when there are none, and then as `version`."""

    faults: list[CatalogueFault]
    version: int | None = None


class ChangedLine(Shape):
    kind: Literal["same", "out", "in", "gap"]
    text: str


class CatalogueChanges(Shape):
    """What differs between two versions, with a little of what stands around it."""

    lines: list[ChangedLine]
