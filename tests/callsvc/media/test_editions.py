"""What is put in force on the screens reaches every node, over a real broker; what is broken or forged changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from callsvc.broker.gate import Credentials
from callsvc.broker.server import running
from callsvc.bus import Broker, edition
from callsvc.bus.connection import client
from callsvc.bus.edition import Edition, Standing
from callsvc.bus.editions import follow, spread
from callsvc.errors import MissingPart, UsageError
from callsvc.media.editions import Editions, Kind
from callsvc.telephony import line_profiles
from callsvc.telephony.line_profiles import Lines
from callsvc.telephony.lines import LinesInForce
from callsvc.types import Profile
from tests.callsvc.telephony.test_line_profiles import GOOD
from tests.support.peers import Mosquitto

pytestmark = pytest.mark.call

KEY = Ed25519PrivateKey.generate()
LINE = 'version = 1\n[[line]]\nid = "pkc"\nnumber = "11414"\nsv = "PKC"\nen = "PKC"\nprofile = "report"\n'
BROKEN = GOOD.replace("recall_s = 30", "recall_s = 3000")


def profiles(version: int, seconds: int = 30) -> Edition:
    return Edition("line-profiles", version, GOOD.replace("recall_s = 30", f"recall_s = {seconds}"))


class NodeHere:
    """What a node has of it, without its calls."""

    def __init__(self, directory: Path, *, key: Callable[[], Ed25519PublicKey] = KEY.public_key) -> None:
        directory.mkdir(exist_ok=True)
        self.lines = Lines()
        self.numbers = LinesInForce()
        kinds = {"line-profiles": Kind(self.lines.put), "lines": Kind(self.numbers.put)}
        self.editions = Editions(directory, key, kinds)

    @property
    def seconds(self) -> int:
        return self.lines.of(Profile.REPORT).recall_s

    @property
    def standing(self) -> Standing:
        return self.editions.standing()["line-profiles"]


@pytest.fixture(params=["embedded", "mosquitto"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    if request.param == "embedded":
        async with running(Credentials("callsvc", "secret"), port=0) as (_, port):
            yield Broker("127.0.0.1", port, "callsvc", "secret")
        return
    peer = Mosquitto(tmp_path)
    await asyncio.to_thread(peer.start)
    yield peer.broker()
    peer.kill()


@asynccontextmanager
async def task(work: Any) -> AsyncIterator[asyncio.Task[None]]:
    one = asyncio.create_task(work)
    try:
        yield one
    finally:
        one.cancel()
        with suppress(asyncio.CancelledError):
            await one


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.02)


async def test_every_node_has_what_was_saved_whenever_it_comes_and_says_so(
    broker: Broker, tmp_path: Path
) -> None:
    first, second = NodeHere(tmp_path / "one"), NodeHere(tmp_path / "two")
    heard: dict[str, Mapping[str, Standing] | None] = {}
    wanted = [profiles(11, 41), Edition("lines", 3, LINE)]
    poked = asyncio.Event()

    async def at_the_web() -> dict[str, bytes]:
        return {one.kind: one.dump(KEY) for one in wanted}

    def following(node: str, here: NodeHere) -> Any:
        return follow(lambda: broker, node, here.editions.take, here.editions.standing, look_every_s=0.2)

    def version(node: str) -> int:
        told = heard.get(node)
        return told["line-profiles"].version if told else 0

    spreading = spread(lambda: broker, at_the_web, poked, heard.__setitem__, look_every_s=0.2)
    async with task(following("node-1", first)) as leaving, task(spreading):
        await until(lambda: version("node-1") == 11)
        assert first.seconds == 41
        assert (found := first.numbers.of("11414")) is not None
        assert found.id == "pkc"
        wanted[0] = profiles(12, 42)
        poked.set()
        await until(lambda: version("node-1") == 12)
        # A set that this node cannot take: the old one stays, and the screen can show why.
        wanted[0] = Edition("line-profiles", 13, BROKEN)
        poked.set()
        await until(lambda: (told := heard["node-1"]) and told["line-profiles"].refused)
        assert (first.standing.version, first.seconds) == (12, 42)
        refused = first.standing.refused
        assert refused is not None
        assert refused.version == 13
        assert "report.recall_s" in refused.why
        wanted[0] = profiles(14, 44)
        poked.set()
        await until(lambda: version("node-1") == 14)
        assert first.standing.refused is None
        # Somebody else at the broker: nobody takes what is not signed, and it is put right.
        stranger = Edition("line-profiles", 99, GOOD).dump(Ed25519PrivateKey.generate())
        async with client(broker, "stranger") as other:
            await other.subscribe(edition.topic("line-profiles"), qos=1)
            await other.publish(edition.topic("line-profiles"), stranger, qos=1, retain=True)
            forged = False
            async with asyncio.timeout(60):
                async for message in other.messages:
                    if forged and message.payload == profiles(14, 44).dump(KEY):
                        break
                    forged |= message.payload == stranger
        await until(lambda: first.seconds == 44 and first.standing.refused is None)
        leaving.cancel()
        await until(lambda: heard["node-1"] is None)
    # The web process is away: a node that comes now has it from the broker all the same.
    async with task(following("node-2", second)):
        await until(lambda: second.seconds == 44)
    # And one that comes when the broker is away, too, from its own disk.
    assert NodeHere(tmp_path / "one").standing.version == 14


def test_a_node_starts_with_the_last_good_set_and_without_any_with_the_packaged_one(tmp_path: Path) -> None:
    node = NodeHere(tmp_path)
    assert (node.seconds, node.standing) == (60, Standing())
    node.editions.take(profiles(5, 35).dump(KEY))
    node.editions.take(Edition("line-profiles", 6, BROKEN).dump(KEY))
    node.editions.take(Edition("lines", 1, LINE.replace('"11414"', '"*" #')).dump(KEY))
    again = NodeHere(tmp_path)
    assert (again.seconds, again.standing.version, again.standing.source) == (35, 5, "screens")
    assert again.numbers.of("0770") is not None
    (tmp_path / "in-force" / "line-profiles.json").write_bytes(b"{")
    assert NodeHere(tmp_path).standing == Standing()


def test_what_comes_before_the_key_waits_for_it(tmp_path: Path) -> None:
    there = False

    def key() -> Ed25519PublicKey:
        if not there:
            raise MissingPart("The key is missing.")
        return KEY.public_key()

    node = NodeHere(tmp_path, key=key)
    node.editions.take(profiles(2, 22).dump(KEY))
    assert (node.standing.refused is not None, node.seconds) == (True, 60)
    there = True
    assert (node.standing.version, node.editions.refused, node.seconds) == (2, False, 22)


def test_a_file_of_the_settings_goes_before_the_screens(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD, encoding="utf-8")
    lines = Lines(file)
    editions = Editions(tmp_path, KEY.public_key, {"line-profiles": Kind(lines.put, settings=True)})
    editions.take(profiles(7, 17).dump(KEY))
    assert lines.of(Profile.REPORT).recall_s == 30
    assert editions.standing()["line-profiles"].source == "settings"


def changed(**fields: object) -> bytes:
    return json.dumps(json.loads(profiles(3).dump(KEY)) | fields).encode()


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "read"),
        (b"[" * 50_000, "read"),
        (b"\xff{}", "read"),
        (changed(v=2), "read"),
        (changed(version=0), "read"),
        (changed(version=True), "read"),
        (changed(kind="../x"), "read"),
        (changed(body=["x"]), "read"),
        (changed(signature="ä"), "read"),
        (changed(body=GOOD + "#"), "whole"),
        (changed(version=4), "signed"),
        (changed(kind="lines"), "signed"),
        (changed(signature=""), "signed"),
        (Edition("lines", 1, "#" * 70_000).dump(KEY), "long"),
        (b"x" * 300_000, "long"),
    ],
)
def test_what_is_no_edition_is_refused_and_changes_nothing(tmp_path: Path, payload: bytes, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        edition.load(payload).check(KEY.public_key())
    node = NodeHere(tmp_path)
    node.editions.take(payload)
    assert (node.seconds, node.standing.version) == (line_profiles.packaged().report.recall_s, 0)


def test_a_status_comes_back_as_it_was_told_and_anything_else_is_refused() -> None:
    told = {"lines": Standing(4, "ab" * 32, "screens", edition.Refusal(5, "x"))}
    assert edition.load_status(edition.dump_status("node-1", told)) == told
    for payload in (b"{}", b"[", b'{"v":1,"kinds":{"lines":{}}}', b" " * 20_000):
        with pytest.raises(UsageError):
            edition.load_status(payload)
    assert edition.named("node/node-1/in-force") == "node-1"
    assert edition.named("node/../in-force") == ""
