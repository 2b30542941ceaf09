"""Events from the media node to whoever keeps books: an outbox on disk, and MQTT behind it.

Outbox(directory, node=..., clock=..., ...)   an `EventSink`: emit(event) never blocks on the network or raises
publish(outbox, Broker(...))                  a task that sends what is not acknowledged, for as long as it takes
subscribe(Broker(...), apply)                 a task that hands each message to `apply` and acknowledges it
"""

from callsvc.bus.sink import EventSink

__all__ = ["EventSink"]
