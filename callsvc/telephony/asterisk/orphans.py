"""What a node that died has left in Asterisk: parties who are silent to each other, bridges, a caller who waits.

When the node is back, whoever can still be put together is, without suppressor and recording; whoever is alone is
given back to the dial plan or hung up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from callsvc.telephony.asterisk.ari import Ari
from callsvc.telephony.asterisk.placed import MEDIA, OURS
from callsvc.types import Leg

LOOK_AGAIN_S = 1.0
"""What is there twice and unknown both times was not on its way to us."""


@dataclass(slots=True)
class Orphan:
    """One call of which nobody knows."""

    id: UUID
    bridges: dict[Leg, str] = field(default_factory=dict)
    parties: list[str] = field(default_factory=list)
    """Who is still there; the caller first."""
    media: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """All that was found."""

    calls: list[Orphan] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    """Callers who came to our application and are on no bridge."""
    ringing: list[str] = field(default_factory=list)
    """Channels of ours on no bridge: an operator's telephone that rings for nobody."""


async def look(
    ari: Ari, node: str, known: Callable[[str], bool], running: Callable[[], Collection[UUID]]
) -> Found:
    """What is there and not `known`, of this node, now and a moment later."""
    before = await _listed(ari, node, known, running())
    if not (before.calls or before.waiting or before.ringing):
        return before
    await asyncio.sleep(LOOK_AGAIN_S)
    after = await _listed(ari, node, known, running())
    seen = {one.id for one in before.calls}
    return Found(
        [one for one in after.calls if one.id in seen],
        [one for one in after.waiting if one in before.waiting],
        [one for one in after.ringing if one in before.ringing],
    )


async def _listed(ari: Ari, node: str, known: Callable[[str], bool], running: Collection[UUID]) -> Found:
    bridges, channels = await ari.request("GET", "/bridges"), await ari.request("GET", "/channels")
    found, calls, bridged = Found(), dict[UUID, Orphan](), set[str]()
    for bridge in _dicts(bridges):
        members = [str(one) for one in bridge.get("channels") or []]
        bridged |= set(members)
        name = str(bridge.get("id") or "")
        if bridge.get("name") != node or not (of := _call(name)) or of[0] in running:
            continue
        orphan = calls.setdefault(of[0], Orphan(of[0]))
        orphan.bridges[of[1]] = name
        for member in members:
            if member.endswith(MEDIA):
                orphan.media.append(member)
            elif of[1] is Leg.CALLER and not member.startswith(OURS):
                orphan.parties.insert(0, member)
            else:
                orphan.parties.append(member)
    found.calls = list(calls.values())
    for channel in _dicts(channels):
        name, plan = str(channel.get("id") or ""), channel.get("dialplan")
        if not name or name in bridged or known(name):
            continue
        if name.startswith(OURS):
            found.ringing.append(name)
        elif (
            isinstance(plan, Mapping)
            and plan.get("app_name") == "Stasis"
            and str(plan.get("app_data") or "").partition(",")[0] == ari.app
        ):
            found.waiting.append(name)
    return found


def _dicts(listed: Any) -> list[dict[str, Any]]:
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _call(bridge: str) -> tuple[UUID, Leg] | None:
    """Whose bridge it is."""
    identity, _, leg = bridge.removeprefix(OURS).rpartition("-")
    try:
        return (UUID(identity), Leg(leg)) if bridge.startswith(OURS) else None
    except ValueError:
        return None
