"""Prometheus metrics: the registry, and the text that `/metrics` answers with.

Each feature declares its own figures beside the code that counts them. Labels hold states and kinds, never ids and
never anything about a person.
"""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST


def exposition(registry: CollectorRegistry = REGISTRY) -> tuple[bytes, str]:
    """The body and the content type of an answer to a scrape."""
    return generate_latest(registry), CONTENT_TYPE_LATEST
