"""sippy on asyncio's loop: its transactions and dialogs, our socket and our clock, and not a word of a call in its logs.

sippy has an event loop of its own, of which only the timers are wanted: they are looked at here every 20 ms. All of it
is one thread. Names that it does not promise to keep are used in this file and in `dialog` alone; its version is pinned.
"""

from __future__ import annotations

import asyncio
from _thread import get_ident
from typing import Any

from sippy import SipTransactionManager as transaction_layer  # noqa: N813  a module, not a class
from sippy.Core import EventDispatcher as event_loop  # noqa: N813  as above
from sippy.SipConf import SipConf
from sippy.SipGenericHF import SipGenericHF
from sippy.Time.MonoTime import MonoTime
from sippy.Time.Timeout import Timeout

from callsvc import logs
from callsvc.telephony.sip.admission import Peers
from callsvc.telephony.sip.door import Door

TIMERS_S = 0.020
CACHE_S = 32
log = logs.get("sip")


def _fault(_what: str, *_args: object, **_kwargs: object) -> None:
    """In place of sippy's own, which prints whole messages."""
    log.warning("sip_fault", exc_info=False)


event_loop.dump_exception = transaction_layer.dump_exception = _fault
SipConf.my_uaname = "callsvc"


def _written(self: object, name: str, compact: bool = False) -> str:
    """In place of sippy's "Refer-to": there are telephones that read no header but as the RFCs write it."""
    return {"min-se": "Min-SE"}.get(name, name.title())


SipGenericHF.getCanName = _written


class _Silent:
    """In place of sippy's log, which holds whole messages."""

    def write(self, *_args: object, **_kwargs: object) -> None:
        return None


class _OnePort:
    """In place of sippy's choice of local addresses: there is one."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def getServer(self, *_args: object, **_kwargs: object) -> Door:  # noqa: N802  sippy's name
        return self._door

    def rotateCache(self) -> None:  # noqa: N802  sippy's name
        return None

    def shutdown(self) -> None:
        self._door.close()


class Transactions(transaction_layer.SipTransactionManager):  # type: ignore[misc]  # sippy has no types
    """sippy's transaction layer with our door."""

    def __init__(self, config: dict[str, Any], host: str, peers: Peers, request: Any) -> None:
        self.global_config = config
        self.door = Door(host, peers, self.handleIncoming)
        self.l4r = _OnePort(self.door)
        self.tclient: dict[Any, Any] = {}
        self.tserver: dict[Any, Any] = {}
        self.req_cb = request
        self.l1rcache: dict[Any, Any] = {}
        self.l2rcache: dict[Any, Any] = {}
        self.req_consumers: dict[Any, Any] = {}
        self.cp_timer = Timeout(self.rCachePurge, CACHE_S, -1)
        self.init_time = asyncio.get_running_loop().time()


class Stack:
    """One bound address. `request` gets every request that belongs to no dialog: (request, transaction)."""

    def __init__(self, host: str, peers: Peers, request: Any) -> None:
        event_loop.ED2.my_ident = get_ident()
        self.config: dict[str, Any] = {"_sip_address": host, "_sip_port": 0, "_sip_logger": _Silent()}
        self.transactions = Transactions(self.config, host, peers, request)
        self.config["_sip_tm"] = self.transactions
        self.door = self.transactions.door
        self._timer: asyncio.TimerHandle | None = None

    def open(self, port: int) -> int:
        """Bind and begin; the port that is really in use. Raises `OSError`."""
        self.config["_sip_port"] = self.door.open(port)
        self._look()
        return self.door.port

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TIMERS_S, self._look)
        event_loop.ED2.last_ts = MonoTime()
        event_loop.ED2.dispatchTimers()

    def known(self, call_id: str) -> bool:
        """Whether a dialog with this Call-ID is there."""
        return call_id in self.transactions.req_consumers

    def close(self) -> None:
        """No more datagrams, no more timers."""
        if self._timer:
            self._timer.cancel()
        self.transactions.cp_timer.cancel()
        self.door.close()
