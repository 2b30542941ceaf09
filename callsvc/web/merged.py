"""What two people made of the same thing, put together: each one's changes, and where both changed the same.

    base ──► mine
      └────► theirs       what only one changed is as that one left it; what both changed is mine, and is told

Entries of a list are the same when their id is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from callsvc.web.written import same

Place = tuple[str | int, ...]
_NOTHING: Final = object()


def merge(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> tuple[dict[str, Any], list[Place]]:
    """The value that holds both, and the places in it that both changed. What one changed and the other took away stays."""
    both: list[Place] = []
    return _merge(base, mine, theirs, (), both), both


def _merge(base: Any, mine: Any, theirs: Any, at: Place, both: list[Place]) -> Any:
    if same(mine, theirs) or same(base, theirs):
        return mine
    if same(base, mine):
        return theirs
    if isinstance(mine, dict) and isinstance(theirs, dict):
        was = base if isinstance(base, dict) else {}
        names = [*mine, *(name for name in theirs if name not in mine)]
        table = {}
        for name in names:
            one = _merge(*_of(name, was, mine, theirs), (*at, name), both)
            if one is not _NOTHING:
                table[name] = one
        return table
    sides = [_by_id(one) for one in (base, mine, theirs)]
    if sides[1] is not None and sides[2] is not None:
        was, left, right = sides[0] or {}, sides[1], sides[2]
        entries: list[Any] = []
        for name in _order(list(was), list(left), list(right)):
            one = _merge(*_of(name, was, left, right), (*at, len(entries)), both)
            if one is not _NOTHING:
                entries.append(one)
        return entries
    both.append(at)
    return theirs if mine is _NOTHING else mine


def _of(name: str, *tables: dict[str, Any]) -> tuple[Any, Any, Any]:
    base, mine, theirs = (one.get(name, _NOTHING) for one in tables)
    return base, mine, theirs


def _by_id(value: Any) -> dict[str, Any] | None:
    """The entries of a list by their ids; none for what is no such list."""
    if not isinstance(value, list) or not all(
        isinstance(one, dict) and isinstance(one.get("id"), str) for one in value
    ):
        return None
    found = {one["id"]: one for one in value}
    return found if len(found) == len(value) else None


def _order(base: list[str], mine: list[str], theirs: list[str]) -> Iterable[str]:
    """The order of whoever changed it, mine where both did; what only the other has stands behind what it stands behind there."""
    kept = [one for one in mine if one in base]
    lead, other = (mine, theirs) if kept != [one for one in base if one in mine] else (theirs, mine)
    order = list(lead)
    for n, name in enumerate(other):
        if name not in order:
            order.insert(order.index(other[n - 1]) + 1 if n else 0, name)
    return order
