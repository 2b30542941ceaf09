"""What is counted of calls by SIP, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

DATAGRAMS = Counter("callsvc_sip_datagrams", "SIP datagrams that came, by what became of them.", ["fate"])
CALLS = Counter("callsvc_sip_calls", "Calls by SIP, by the status that they were answered with.", ["status"])
REGISTERED = Gauge("callsvc_sip_registered", "Whether the registrar knows us: 1 or 0.")
FOREIGN = Counter(
    "callsvc_rtp_foreign", "RTP datagrams of telephones' legs from somebody who is not the peer."
)
LOSS = Histogram(
    "callsvc_rtcp_loss_ratio",
    "Share of packets lost, as RTCP reports say, by leg and direction.",
    ["leg", "way"],
    buckets=(0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5),
)
ROUND_TRIP = Histogram(
    "callsvc_rtcp_round_trip_seconds",
    "Time to a telephone and back, as RTCP reports say, by leg.",
    ["leg"],
    buckets=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
)
