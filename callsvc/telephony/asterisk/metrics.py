"""What is counted of Asterisk's calls, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

CONNECTED = Gauge("callsvc_asterisk_connected", "Whether Asterisk's events arrive: 1 or 0.")
CALLS = Counter("callsvc_asterisk_calls", "Calls that Asterisk offered, by what became of them.", ["fate"])
REFUSED = Counter(
    "callsvc_audiosocket_refused", "AudioSocket connections that were closed, by reason.", ["why"]
)
FRAMES = Counter("callsvc_audiosocket_frames", "AudioSocket messages of note, by what they were.", ["fate"])
