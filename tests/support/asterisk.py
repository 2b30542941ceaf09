"""An Asterisk for tests, as far as the node sees one: the REST interface over HTTP, events over a WebSocket, bridges,
and AudioSockets that it opens itself. What it refuses and when it tells of what follows the real one's behaviour.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from callsvc.telephony.asterisk.frames import Kind, build
from tests.support.audiosocket import AudioSocketPeer

USER, PASSWORD, APP = "callsvc", "secret", "callsvc"
KINDS = {"slin": Kind.SOUND_8K, "slin16": Kind.SOUND_16K, "slin48": Kind.SOUND_48K}


@dataclass
class FakeChannel:
    """A channel: a telephone at its other end, or an AudioSocket."""

    id: str
    in_app: bool = False
    answered: bool = False
    bridge: str = ""
    dialled: str = ""
    digits: str = ""
    music: bool = False
    """Whether music on hold is played to it."""
    heard: list[bytes] = field(default_factory=list)
    socket: AudioSocketPeer | None = None
    kind: Kind = Kind.SOUND_16K


class FakeAsterisk:
    """Start it with `running_asterisk`."""

    def __init__(self) -> None:
        self.channels: dict[str, FakeChannel] = {}
        self.bridges: dict[str, set[str]] = {}
        self.names: dict[str, str] = {}
        """What bridges were named."""
        self.continued: list[str] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.operator = "answers"
        """What the operator's telephone does: `answers`, `busy`, `rings`."""
        self.refuse: dict[str, int] = {}
        """Paths (their last word) that are answered with this status."""
        self.slow_list: asyncio.Event | None = None
        """What the list of channels waits for, once it is made."""
        self.asked_for_list = self.listed = False
        self.port = 0
        self._lines: set[WebSocket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0

    # What a telephone does.

    async def call(self, *args: str, dialled: str = "") -> FakeChannel:
        """A caller who dialled this number comes to `Stasis(callsvc, args)`."""
        self._number += 1
        channel = self._add(f"1700000000.{self._number}")
        channel.in_app, channel.dialled = True, dialled
        await self.tell("StasisStart", channel, args=list(args))
        return channel

    async def hang_up(self, channel: FakeChannel) -> None:
        """The telephone, or whoever has it, hangs up."""
        self.channels.pop(channel.id, None)
        for members in self.bridges.values():
            members.discard(channel.id)
        if channel.socket:
            channel.socket.abort()
        if channel.in_app:
            channel.in_app = False
            await self.tell("StasisEnd", channel)
        await self.tell("ChannelDestroyed", channel)

    async def say(self, channel: FakeChannel, payload: bytes) -> None:
        """The telephone sends 20 ms of sound; its bridge hands them to whoever else is in it."""
        for other in self._others(channel):
            if other.socket is None:
                other.heard.append(payload)
            else:
                with contextlib.suppress(ConnectionError):
                    await other.socket.send(build(other.kind, payload))

    async def press(self, channel: FakeChannel, digit: str) -> None:
        await self.tell("ChannelDtmfReceived", channel, digit=digit, duration_ms=100)

    async def transfer(self, channel: FakeChannel) -> FakeChannel:
        """The telephone hands its call to another: Asterisk puts that one into the bridge in its place."""
        self._number += 1
        other = self._add(f"1700000000.{self._number}")
        other.in_app = True
        for members in self.bridges.values():
            if channel.id in members:
                members.symmetric_difference_update({channel.id, other.id})
        await self.tell("StasisStart", other, args=[], replace_channel={"id": channel.id})
        await self.tell("BridgeBlindTransfer", channel, replace_channel={"id": other.id})
        await self.hang_up(channel)
        return other

    async def tell(self, kind: str, channel: FakeChannel, **fields: Any) -> None:
        caller = {"name": "", "number": "0701234567"}
        place = {"context": "from-trunk", "exten": channel.dialled, "priority": 3, "app_name": "Stasis"}
        about = {"id": channel.id, "caller": caller, "dialplan": place}
        event = {"type": kind, "application": APP, "channel": about, **fields}
        for line in list(self._lines):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await line.send_json(event)

    async def drop_lines(self) -> None:
        """The events' WebSockets break."""
        for line in list(self._lines):
            await line.close(1001)

    # What the node asks.

    def app(self) -> Starlette:
        channels, bridges = "/ari/channels", "/ari/bridges"
        verbs = "ring answer continue dtmf"
        return Starlette(
            routes=[
                WebSocketRoute("/ari/events", self._events),
                Route(f"{channels}/externalMedia", self._guard(self._external), methods=["POST"]),
                Route(channels, self._guard(self._originate), methods=["POST"]),
                Route(channels, self._guard(self._list), methods=["GET"]),
                *(
                    Route(f"{channels}/{{id}}/{verb}", self._guard(self._verb), methods=["POST"])
                    for verb in verbs.split()
                ),
                Route(channels + "/{id}", self._guard(self._delete), methods=["DELETE"]),
                Route(channels + "/{id}/moh", self._guard(self._music), methods=["POST", "DELETE"]),
                Route(bridges, self._guard(self._list_bridges), methods=["GET"]),
                Route(bridges, self._guard(self._bridge), methods=["POST"]),
                Route(bridges + "/{id}/addChannel", self._guard(self._put), methods=["POST"]),
                Route(bridges + "/{id}", self._guard(self._take_down), methods=["DELETE"]),
            ]
        )

    def _guard(self, work: Any) -> Any:
        async def guarded(request: Request) -> Response:
            wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if request.headers.get("authorization") != wanted:
                return JSONResponse({"error": "Authentication required"}, 401)
            self.requests.append((request.method, request.url.path, dict(request.query_params)))
            if status := self.refuse.get(request.url.path.rsplit("/", 1)[1]):
                return JSONResponse({"message": "refused"}, status)
            answer: Response = await work(request)
            return answer

        return guarded

    async def _events(self, line: WebSocket) -> None:
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if line.headers.get("authorization") != f"Basic {wanted}" or line.query_params["app"] != APP:
            await line.close()
            return
        await line.accept(subprotocol="ari")
        self._lines.add(line)
        try:
            while True:
                await line.receive_text()
        except WebSocketDisconnect:
            pass
        finally:
            self._lines.discard(line)

    async def _list(self, _request: Request) -> Response:
        there = [
            {
                "id": name,
                "dialplan": {
                    "app_name": "Stasis" if one.in_app else "Dial",
                    "app_data": f"{APP},report" if one.in_app else "PJSIP/operator",
                },
            }
            for name, one in self.channels.items()
        ]
        if self.slow_list:
            self.asked_for_list = True
            await self.slow_list.wait()
            self.listed = True
        return JSONResponse(there)

    async def _verb(self, request: Request) -> Response:
        channel = self.channels.get(request.path_params["id"])
        if channel is None:
            return JSONResponse({"message": "Channel not found"}, 404)
        if not channel.in_app:
            return JSONResponse({"message": "Channel not in Stasis application"}, 409)
        verb = request.url.path.rsplit("/", 1)[1]
        if verb == "answer":
            channel.answered = True
        elif verb == "dtmf":
            channel.digits += request.query_params["dtmf"]
        elif verb == "continue":
            self.continued.append(channel.id)
            channel.in_app = False
            for members in self.bridges.values():
                members.discard(channel.id)
            await self.tell("StasisEnd", channel)
        return Response(status_code=204)

    async def _originate(self, request: Request) -> Response:
        channel = self._add(request.query_params["channelId"])
        self._later(self._ring(channel))
        return JSONResponse({"id": channel.id})

    async def _ring(self, channel: FakeChannel) -> None:
        await asyncio.sleep(0.02)
        if self.operator == "answers":
            channel.in_app = channel.answered = True
            await self.tell("StasisStart", channel, args=[])
        elif self.operator == "busy":
            await self.hang_up(channel)

    async def _external(self, request: Request) -> Response:
        query = request.query_params
        if query["encapsulation"] != "audiosocket" or query["transport"] != "tcp" or not query["data"]:
            return JSONResponse({"message": "Bad Request"}, 400)
        channel = self._add(query["channelId"])
        channel.kind = KINDS[query["format"]]
        host, port = query["external_host"].rsplit(":", 1)
        channel.socket = await AudioSocketPeer.connect(int(port), host)
        await channel.socket.introduce(UUID(query["data"]))
        channel.in_app = True
        self._later(self._read(channel))
        self._later(self.tell("StasisStart", channel, args=[query["data"]]))
        return JSONResponse({"id": channel.id})

    async def _read(self, channel: FakeChannel) -> None:
        """Hand what comes by the AudioSocket to the bridge; its end is the channel's end."""
        assert channel.socket is not None
        while await channel.socket.read():
            for message in channel.socket.heard:
                if message.kind == Kind.HANGUP:
                    break
                assert message.payload, "a frame without a byte: Asterisk hangs up"
                for other in self._others(channel):
                    other.heard.append(message.payload)
            channel.socket.heard.clear()
        await channel.socket.close()
        channel.socket = None
        if channel.id in self.channels:
            await self.hang_up(channel)

    async def _delete(self, request: Request) -> Response:
        channel = self.channels.get(request.path_params["id"])
        if channel is None:
            return JSONResponse({"message": "Channel not found"}, 404)
        await self.hang_up(channel)
        return Response(status_code=204)

    async def _list_bridges(self, _request: Request) -> Response:
        return JSONResponse(
            [
                {"id": name, "name": self.names[name], "channels": sorted(members)}
                for name, members in self.bridges.items()
            ]
        )

    async def _music(self, request: Request) -> Response:
        channel = self.channels.get(request.path_params["id"])
        if channel is None:
            return JSONResponse({"message": "Channel not found"}, 404)
        channel.music = request.method == "POST"
        return Response(status_code=204)

    async def _bridge(self, request: Request) -> Response:
        self.bridges[request.query_params["bridgeId"]] = set()
        self.names[request.query_params["bridgeId"]] = request.query_params["name"]
        return JSONResponse({"id": request.query_params["bridgeId"]})

    async def _put(self, request: Request) -> Response:
        members = self.bridges.get(request.path_params["id"])
        if members is None:
            return JSONResponse({"message": "Bridge not found"}, 404)
        for name in request.query_params["channel"].split(","):
            channel = self.channels.get(name)
            if channel is None:
                return JSONResponse({"message": "Channel not found"}, 400)
            if not channel.in_app:
                return JSONResponse({"message": "Channel not in Stasis application"}, 422)
            for bridge in self.bridges.values():
                bridge.discard(name)
            members.add(name)
        return Response(status_code=204)

    async def _take_down(self, request: Request) -> Response:
        return Response(
            status_code=204 if self.bridges.pop(request.path_params["id"], None) is not None else 404
        )

    def _add(self, channel_id: str) -> FakeChannel:
        channel = self.channels[channel_id] = FakeChannel(channel_id)
        return channel

    def _others(self, channel: FakeChannel) -> list[FakeChannel]:
        for members in self.bridges.values():
            if channel.id in members:
                return [self.channels[name] for name in members if name != channel.id]
        return []

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        for channel in list(self.channels.values()):
            if channel.socket:
                channel.socket.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def running_asterisk() -> AsyncIterator[FakeAsterisk]:
    """One that listens on a free port of loopback."""
    fake = FakeAsterisk()
    bound = socket.create_server(("127.0.0.1", 0))
    fake.port = bound.getsockname()[1]
    config = uvicorn.Config(
        fake.app(), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1,
        ws="websockets-sansio",
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield fake
    finally:
        await fake.end()
        server.should_exit = True
        await serving
        bound.close()
