"""A node made of stock aiortc: what comes on one leg is decoded, and encoded again for the other.

Started by benchmarks.media_delay; one JSON line in for each leg ({"sdp": offer}), one out ({"sdp": answer}).
"""

from __future__ import annotations

import asyncio
import json
import sys

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay

from callsvc.telephony import ice


async def main() -> None:
    ice.use_only(["127.0.0.1"])
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    relay = MediaRelay()
    legs: list[RTCPeerConnection] = []
    tracks: list[MediaStreamTrack] = []
    for _ in range(2):
        leg = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        leg.on("track", tracks.append)
        offer = json.loads(await orders.readline())
        await leg.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        if legs:
            leg.addTrack(relay.subscribe(tracks[0], buffered=True))
        else:
            leg.getTransceivers()[0].direction = "sendrecv"
        await leg.setLocalDescription(await leg.createAnswer())
        legs.append(leg)
        sys.stdout.write(json.dumps({"sdp": leg.localDescription.sdp}) + "\n")
        sys.stdout.flush()
        if len(legs) == 2:
            legs[0].getSenders()[0].replaceTrack(relay.subscribe(tracks[1], buffered=True))
    await orders.read()
    for leg in legs:
        await leg.close()


if __name__ == "__main__":
    asyncio.run(main())
