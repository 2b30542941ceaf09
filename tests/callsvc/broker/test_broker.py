"""The embedded broker passes messages between those who know the password, and nobody else disturbs it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import aiomqtt
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from callsvc.broker.gate import Credentials, Refused, check
from callsvc.broker.server import MAX_WAITING, running
from callsvc.errors import PortTaken

pytestmark = pytest.mark.call

WHO = Credentials("callsvc", "open sesame")


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    async with running(WHO, port=0, first_packet_s=1) as (_, port):
        yield port


def client(
    port: int, *, user: str = WHO.user, password: str = WHO.password, name: str | None = None
) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", port, username=user, password=password, identifier=name, timeout=5)


async def passes_messages(port: int) -> bool:
    async with client(port) as hears, client(port) as says:
        await hears.subscribe("call/#", qos=1)
        await says.publish("call/1/call.started", b'{"v":1}', qos=1)
        async for message in hears.messages:
            return message.payload == b'{"v":1}' and message.topic.value == "call/1/call.started"
    return False


def connect(
    *,
    level: int = 4,
    user: bytes | None = b"callsvc",
    password: bytes | None = b"open sesame",
    name: bytes = b"x",
) -> bytes:
    def text(value: bytes) -> bytes:
        return len(value).to_bytes(2, "big") + value

    flags = 0x02 | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    body = text(b"MQTT") + bytes([level, flags, 0, 60]) + text(name)
    body += b"".join(text(value) for value in (user, password) if value is not None)
    return bytes([0x10, len(body)]) + body


async def answer(port: int, sent: bytes) -> bytes:
    """All that comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_message_reaches_a_subscriber(port: int) -> None:
    assert await passes_messages(port)


@pytest.mark.parametrize(
    ("user", "password"),
    [("callsvc", "wrong"), ("callsvc", ""), ("somebody", "open sesame"), ("", "open sesame")],
)
async def test_a_wrong_password_does_not_come_in(port: int, user: str, password: str) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with client(port, user=user, password=password):
            pass


async def test_nobody_comes_in_without_a_name(port: int) -> None:
    assert await answer(port, connect(user=None, password=None)) == bytes([0x20, 2, 0, 4])


async def test_a_client_of_another_mqtt_version_is_told(port: int) -> None:
    assert await answer(port, connect(level=5)) == bytes([0x20, 2, 0, 1])


async def test_a_stranger_who_takes_a_clients_name_does_not_end_its_session(port: int) -> None:
    async with client(port, name="media") as hears:
        await hears.subscribe("call/#", qos=1)
        assert await answer(port, connect(name=b"media", password=b"guess")) == bytes([0x20, 2, 0, 4])
        async with client(port) as says:
            await says.publish("call/2/call.ended", b"{}", qos=1)
        async for message in hears.messages:
            assert message.payload == b"{}"
            break


async def test_garbage_is_refused_and_the_broker_goes_on(port: int) -> None:
    dice = random.Random(7)
    garbage = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"\x10\xff\xff\xff\x7f",
        b"\x10\x00",
    ]
    garbage += [dice.randbytes(dice.randint(1, 400)) for _ in range(60)]
    garbage += [connect()[:n] for n in range(1, len(connect()))]
    answers = await asyncio.gather(*(answer(port, sent) for sent in garbage))
    assert all(a in (b"", bytes([0x20, 2, 0, 1]), bytes([0x20, 2, 0, 4])) for a in answers)
    assert await passes_messages(port)


async def test_garbage_after_a_right_password_ends_that_client_alone(port: int) -> None:
    dice = random.Random(8)
    for _ in range(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(connect(name=b"odd") + dice.randbytes(dice.randint(1, 200)))
        writer.write_eof()
        await reader.read()
        writer.close()
    assert await passes_messages(port)


async def test_those_who_say_nothing_are_let_go_and_do_not_keep_others_out(port: int) -> None:
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MAX_WAITING + 20)]
    for reader, writer in silent:
        assert await reader.read() == b""
        writer.close()
    assert await passes_messages(port)


async def test_a_taken_port_is_named_with_its_setting(port: int) -> None:
    with pytest.raises(PortTaken, match=rf"{port}.*mqtt\.port"):
        async with running(WHO, port=port):
            pass


@given(st.binary(max_size=300))
def test_no_body_but_a_right_one_is_let_through(body: bytes) -> None:
    with pytest.raises(Refused):
        check(body, WHO)


def test_the_right_body_is_let_through() -> None:
    check(connect()[2:], WHO)
