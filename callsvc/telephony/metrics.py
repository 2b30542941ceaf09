"""What the media node counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

CALLS = Gauge("callsvc_calls", "Calls on this node, by state.", ["state"])
CALLS_ENDED = Counter("callsvc_calls_ended", "Calls that are over, by cause.", ["cause"])
JOINS_REFUSED = Counter("callsvc_joins_refused", "Attempts to join that were refused, by status.", ["status"])
PACKETS = Counter("callsvc_rtp_packets", "RTP packets, by leg and what became of them.", ["leg", "fate"])
BLOCKS = Counter("callsvc_suppressor_blocks", "Blocks of 10 ms of operators' sound, by way.", ["way"])
DEGRADED = Counter("callsvc_degraded", "Times that a call lost a part of the service, by part.", ["what"])
LATENESS = Histogram(
    "callsvc_tick_lateness_seconds",
    "How much later than due the media loop woke.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
)
COMMANDS = Counter("callsvc_commands", "Commands of operators during calls, by how they went.", ["how"])
RETURNS = Counter("callsvc_legs_returned", "Legs that lost their connection and came back.")
KEYS = Counter("callsvc_key_times", "Key times that operators' screens told, by use.", ["use"])
