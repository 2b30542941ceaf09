"""What the recorder counts."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

OPEN: Final = Gauge("callsvc_recorder_open", "Recordings that are running or waiting for their seal.")
ALARM: Final = Gauge("callsvc_recorder_alarm", "1 while recording is not as it should be: see the log.")
FREE: Final = Gauge(
    "callsvc_spool_free_bytes", "Room on the disk of a spool: 1 is data_dir's, 2 the second.", ["spool"]
)
BYTES: Final = Counter("callsvc_recorder_bytes", "Bytes written to segment files.")
SYNCS: Final = Counter("callsvc_recorder_syncs", "Times a segment file was made safe on disk.")
DROPPED: Final = Counter(
    "callsvc_recorder_dropped_samples", "Samples that found the ring full and became a gap."
)
