"""A trunk in the test's own loop, with a caller's and an operator's telephone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from callsvc.clock import SystemClock
from callsvc.telephony.parts import Parts
from callsvc.telephony.plain import Ports
from callsvc.telephony.sip.line import Line
from callsvc.telephony.sip.media import Pairs
from callsvc.telephony.sip.trunk import Trunk, Wishes
from callsvc.telephony.switchboard import Switchboard
from callsvc.types import Profile
from tests.support.legs import Events
from tests.support.sip import HOST
from tests.support.telephone import Message, Telephone

PATIENCE_S = 30.0


@dataclass
class House:
    """Everything of one test."""

    board: Switchboard
    events: Events
    trunk: Trunk
    caller: Telephone
    operator: Telephone
    others: list[Telephone] = field(default_factory=list)

    async def ringing(self, *more: str, body: str | None = None) -> Message:
        """The caller's INVITE has come to the operator's telephone: the node's INVITE."""
        self.caller.request("INVITE", *more, body=self.caller.offer() if body is None else body)
        return await self.operator.hear("INVITE ")

    async def talking(self, *more: str) -> tuple[Message, Message]:
        """Both have answered: the node's offer to the operator, and its answer to the caller."""
        invite = await self.ringing(*more)
        self.operator.reply(invite, "200 OK", body=self.operator.offer())
        await self.operator.hear("ACK ")
        answer = await self.caller.hear("SIP/2.0 200")
        self.caller.remote_tag = answer.get("To").partition(";tag=")[2]
        self.caller.routes = list(reversed(answer.all("Record-Route")))
        self.caller.request("ACK")
        return invite, answer

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.005)


@pytest.fixture
def wishes() -> dict[str, Any]:
    """What a test wants otherwise of its trunk."""
    return {}


@pytest.fixture
def max_calls() -> int:
    """What a test wants otherwise of its switchboard."""
    return 2


@pytest.fixture
async def house(wishes: dict[str, Any], max_calls: int) -> AsyncIterator[House]:
    clock, events = SystemClock(), Events()
    parts = Parts(clock, events, None, None, vanish_after_s=10.0)
    async with Switchboard(parts, Ports(HOST, 0, 0), max_calls=max_calls) as board:
        operator = await Telephone("operator", (HOST, 0)).open()
        line = Line(Profile.REPORT, "operator", HOST, operator.port)
        wished: dict[str, Any] = {"peers": [HOST], "default": line, **wishes}
        trunk = Trunk(HOST, Wishes(**wished), board, Pairs(HOST, 0, 0), clock)
        node = (HOST, trunk.start(0))
        operator.node = node
        caller = await Telephone("caller", node).open()
        house = House(board, events, trunk, caller, operator)
        yield house
        await trunk.close()
        for phone in (caller, operator, *house.others):
            phone.close()
