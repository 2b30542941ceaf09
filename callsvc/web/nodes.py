"""What each media node says that it goes by, as heard over the broker since this process began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from callsvc.bus.edition import Edition, Standing

MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Heard:
    """One node and one kind. `here`: it is connected. `agrees`: it goes by what is in force."""

    node: str
    here: bool
    standing: Standing
    agrees: bool


class Nodes:
    """What the nodes said last; one that is gone is known until this process ends."""

    def __init__(self) -> None:
        self._told: dict[str, Mapping[str, Standing]] = {}
        self._here: set[str] = set()

    def hear(self, node: str, told: Mapping[str, Standing] | None) -> None:
        """A node says what it goes by; None: it is gone."""
        if told is None:
            self._here.discard(node)
        elif node in self._told or len(self._told) < MOST:
            self._told[node] = told
            self._here.add(node)

    def of(self, kind: str, edition: Edition | None) -> list[Heard]:
        """Every node in this kind, by name; `edition` is what is in force, None where it was never edited."""
        return [
            Heard(node, node in self._here, one, _agrees(one, edition))
            for node, told in sorted(self._told.items())
            if (one := told.get(kind)) is not None
        ]


def _agrees(standing: Standing, edition: Edition | None) -> bool:
    if edition is None:
        return standing.source == "packaged"
    return standing.source == "screens" and (standing.version, standing.sha256) == (
        edition.version,
        edition.sha256,
    )
