"""Which of Asterisk's channels are ours, and who waits for one to come or to go."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GONE = ("StasisEnd", "ChannelDestroyed")


class ChannelGone(Exception):
    """The channel went before it came."""


@dataclass(slots=True)
class Channel:
    """A channel of one of our calls."""

    id: str
    entered: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Done when the channel is in our application, where it can be bridged; fails when it goes before."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    holds: bool = False
    """Whether its telephone has put the other one on hold."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """For what is asked of Asterisk one after the other."""

    def enter(self) -> None:
        if not self.entered.done():
            self.entered.set_result(None)

    def go(self) -> None:
        self.gone.set()
        if not self.entered.done():
            self.entered.set_exception(ChannelGone())
            # Whoever waits hears of it; where nobody does, nothing is wrong.
            self.entered.exception()


class Channels:
    """The channels of all our calls, by id."""

    def __init__(self) -> None:
        self._known: dict[str, Channel] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, channel_id: str) -> bool:
        return channel_id in self._known

    def add(self, channel_id: str) -> Channel:
        """From now on this channel is ours."""
        channel = self._known[channel_id] = Channel(channel_id)
        return channel

    def forget(self, channel: Channel) -> None:
        self._known.pop(channel.id, None)

    def event(self, event: Mapping[str, Any]) -> Channel | None:
        """Take note of what an event says of a channel of ours, and say which it is."""
        name, kind = _id(event, "channel"), event.get("type")
        if kind == "StasisStart" and (replaced := self._known.pop(_id(event, "replace_channel"), None)):
            # A transfer: the new one is in its bridge already, and the end of the old one says nothing.
            self._known[name] = replaced
            replaced.id = name
        channel = self._known.get(name)
        if channel is None:
            return None
        if kind == "StasisStart":
            channel.enter()
        elif kind in GONE:
            channel.go()
        return channel

    def entered(self) -> list[Channel]:
        """Those that are in our application now."""
        return [channel for channel in self._known.values() if channel.entered.done()]


def _id(event: Mapping[str, Any], of: str) -> str:
    about = event.get(of)
    return str(about.get("id") or "") if isinstance(about, Mapping) else ""
