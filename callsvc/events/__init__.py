"""Takes the media nodes' events off the bus and writes them into the database: each once, in order, none missed."""

from callsvc.events.consumer import Consumer

__all__ = ["Consumer"]
