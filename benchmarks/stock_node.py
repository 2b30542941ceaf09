"""A node made of stock aiortc: what comes on one leg is decoded, and encoded again for the other.

Started by benchmarks.media_delay and benchmarks.media_capacity; one JSON line in for each leg ({"sdp": offer}), one out
({"sdp": answer}). Each two legs that follow one another are a call.
"""

from __future__ import annotations

import asyncio
import json
import sys

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay

from callsvc.media import realtime
from callsvc.telephony import ice


async def main() -> None:
    ice.use_only(["127.0.0.1"])
    # What our node is allowed, this one is.
    realtime.claim()
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    relay = MediaRelay()
    legs: list[RTCPeerConnection] = []
    tracks: list[MediaStreamTrack] = []
    while line := await orders.readline():
        leg = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        leg.on("track", tracks.append)
        second = len(legs) % 2 == 1
        await leg.setRemoteDescription(RTCSessionDescription(json.loads(line)["sdp"], "offer"))
        if second:
            leg.addTrack(relay.subscribe(tracks[-2], buffered=True))
        else:
            leg.getTransceivers()[0].direction = "sendrecv"
        await leg.setLocalDescription(await leg.createAnswer())
        legs.append(leg)
        sys.stdout.write(json.dumps({"sdp": leg.localDescription.sdp}) + "\n")
        sys.stdout.flush()
        if second:
            legs[-2].getSenders()[0].replaceTrack(relay.subscribe(tracks[-1], buffered=True))
    for leg in legs:
        await leg.close()


if __name__ == "__main__":
    asyncio.run(main())
