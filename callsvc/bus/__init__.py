"""Events from the media node to whoever keeps books: an outbox on disk, and MQTT behind it.

    media node                                 broker              web process
    emit ─► outbox (disk) ─► publish ── call/<call>/<kind> ──► subscribe ─► commit
               ▲                                                   │
               └────────────────── node/<node>/ack ◄───────────────┘

    Outbox(directory, node=..., clock=...)     an `EventSink`: emit(event) waits for nobody and never raises
    publish(outbox, resolve)                   a task: sends what nobody has acknowledged, for as long as it takes
    subscribe(resolve, take)                   a task: hands each message to `take`, and acknowledges what it says
    broker(settings) -> Broker                 where the broker is now; `resolve` is asked before each connection

An event leaves the outbox only when a consumer has committed it. Each carries `prev`, the number of the one before,
so that a consumer takes them in order and without a hole whatever the broker loses.
"""

from callsvc.bus.address import Broker, Resolve, broker
from callsvc.bus.outbox import Outbox
from callsvc.bus.publisher import publish
from callsvc.bus.sink import EventSink
from callsvc.bus.subscriber import Ack, subscribe

__all__ = ["Ack", "Broker", "EventSink", "Outbox", "Resolve", "broker", "publish", "subscribe"]
