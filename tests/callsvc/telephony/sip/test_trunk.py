"""Who is let in, who is told to come again, and what is said to a registrar."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import replace

import pytest

from callsvc.errors import ConfigurationError
from callsvc.telephony.lines import LinesInForce
from callsvc.telephony.sip.admission import Bucket, Peers
from callsvc.telephony.sip.door import busy
from callsvc.telephony.sip.line import Line
from callsvc.telephony.sip.trunk import address, profile_line
from callsvc.types import EventKind, Profile
from tests.callsvc.telephony.sip.conftest import House
from tests.support.telephone import Telephone

pytestmark = pytest.mark.call


async def test_what_cannot_be_answered_is_refused_by_its_name(house: House) -> None:
    caller = house.caller
    for extension in ("100rel", "path"):
        caller.request("INVITE", f"Require: {extension}, timer", body=caller.offer())
        assert (await caller.hear("SIP/2.0 420")).get("Unsupported") == extension
    caller.request("INVITE", body=caller.offer().replace("RTP/AVP", "RTP/SAVP"))
    assert (await caller.hear("SIP/2.0 488")).first == "SIP/2.0 488 Not Acceptable Here"
    for method, status in (("SUBSCRIBE", "405"), ("REGISTER", "405")):
        caller.request(method)
        assert "INVITE" in (await caller.hear(f"SIP/2.0 {status}")).get("Allow")
    caller.remote_tag = "nobody"
    caller.request("BYE")
    await caller.hear("SIP/2.0 481")


async def test_a_full_node_says_when_to_come_again(house: House) -> None:
    for number in range(2):
        house.others.append(other := await Telephone(f"other{number}", house.caller.node).open())
        other.request("INVITE", body=other.offer())
        invite = await house.operator.hear("INVITE ")
        house.operator.reply(invite, "200 OK", body=house.operator.offer())
        answer = await other.hear("SIP/2.0 200")
        other.remote_tag = answer.get("To").partition(";tag=")[2]
        other.request("ACK")
    await house.until(lambda: house.board.full)
    house.caller.request("INVITE", body=house.caller.offer())
    answer = await house.caller.hear("SIP/2.0 503")
    assert answer.get("Retry-After") == "5"
    assert answer.get("To").count(";tag=") == 1
    house.others[0].request("BYE")
    await house.until(lambda: not house.board.full)
    house.caller.request("INVITE", body=house.caller.offer())
    await house.operator.hear("INVITE ")


async def test_calls_that_ring_take_room_and_are_waited_for(house: House) -> None:
    rings = await house.ringing()
    house.others.append(second := await Telephone("second", house.caller.node).open())
    second.request("INVITE", body=second.offer())
    await house.operator.hear("INVITE ")
    house.others.append(third := await Telephone("third", house.caller.node).open())
    third.request("INVITE", body=third.offer())
    assert (await third.hear("SIP/2.0 503")).get("Retry-After") == "5"
    second.request("CANCEL")
    await second.hear("SIP/2.0 487")
    await house.until(lambda: not house.board.full)

    draining = asyncio.create_task(house.board.drain())
    house.operator.reply(rings, "200 OK", body=house.operator.offer())
    await house.operator.hear("ACK ")
    await house.caller.hear("SIP/2.0 200")
    await house.until(lambda: house.board.calls)
    next(iter(house.board.calls.values())).fail(RuntimeError("of ours"))
    await asyncio.sleep(0.05)
    assert not draining.done(), "they talk on, and the sound goes through the node"
    house.operator.send_as_called("BYE")
    async with asyncio.timeout(30):
        await draining


@pytest.mark.parametrize("wishes", [{"calls_per_s": 0.001, "burst": 1}])
async def test_more_calls_than_may_come_are_told_to_come_again(house: House) -> None:
    await house.ringing()
    house.others.append(second := await Telephone("second", house.caller.node).open())
    second.request("INVITE", body=second.offer())
    assert (await second.hear("SIP/2.0 503")).get("Retry-After") == "5"


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("wishes", [{"burst": 100}])
async def test_calls_that_come_to_nothing_leave_nothing(house: House) -> None:
    rung = {(await house.ringing()).get("Call-ID")}
    house.caller.request("CANCEL")
    await house.caller.hear("SIP/2.0 487")
    before = open_files()
    for number in range(20):
        house.others.append(other := await Telephone(f"other{number}", house.caller.node).open())
        other.request("INVITE", body=other.offer() if number % 2 else "v=0")
        if number % 2:
            # A machine that is busy has the node say an earlier one again.
            while (invite := await house.operator.hear("INVITE ")).get("Call-ID") in rung:
                pass
            rung.add(invite.get("Call-ID"))
            house.operator.reply(invite, "486 Busy Here")
        await other.hear("SIP/2.0 48")
        other.request("ACK")
        other.close()
    await house.until(lambda: not house.trunk.calls and not house.board.calls)
    await house.until(lambda: open_files() <= before)


async def test_a_set_up_that_fails_here_is_told_to_the_caller(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(house.trunk.pairs, "bind", fail)
    house.caller.request("INVITE", body=house.caller.offer())
    await house.caller.hear("SIP/2.0 500")
    assert not house.trunk.calls


async def test_a_node_that_is_about_to_stop_says_so_to_whoever_asks(house: House) -> None:
    house.caller.request("OPTIONS")
    assert (await house.caller.hear("SIP/2.0 ")).first == "SIP/2.0 200 OK"
    house.board.draining = True
    house.caller.request("OPTIONS")
    assert (await house.caller.hear("SIP/2.0 ")).get("Retry-After") == "5"
    house.caller.request("INVITE", body=house.caller.offer())
    await house.caller.hear("SIP/2.0 503")


@pytest.mark.parametrize("wishes", [{"lines": [("114*", Line(Profile.EMERGENCY))]}])
async def test_the_number_that_was_called_decides_on_the_line(house: House) -> None:
    assert house.trunk.line("11414").profile is Profile.EMERGENCY
    assert house.trunk.line("0770").profile is Profile.REPORT


async def test_a_line_of_the_screens_decides_after_those_of_the_settings_and_is_told_with_the_call(
    house: House,
) -> None:
    held = LinesInForce()
    house.trunk._wishes = replace(
        house.trunk._wishes, lines=[("0770", Line(Profile.INTERVIEW))], edited=held.of
    )
    line = (
        '[[line]]\nid = "pkc"\nnumber = "*"\nsv = "PKC"\nen = "PKC"\nprofile = "emergency"\n'
        f'announce = "wait"\nlanguage = "en"\noperator = "{house.operator.uri}"\n'
    )
    assert house.trunk.line("114").profile is Profile.REPORT
    # In force without a start of the node, from the next call on.
    held.put(f"version = 1\n{line}")
    assert house.trunk.line("0770").profile is Profile.INTERVIEW
    await house.talking()
    (call,) = house.board.calls.values()
    assert (call.profile, call.policy.announcement) == (Profile.EMERGENCY, ("wait", "en"))
    assert {one["line"] for one in house.events.of(EventKind.LEG_JOINED)} == {"pkc"}
    held.put(f"version = 1\n{line}retired = true")
    assert house.trunk.line("114").profile is Profile.REPORT


async def test_the_registrar_that_asks_who_we_are_is_told(house: House) -> None:
    house.others.append(registrar := await Telephone("registrar", house.caller.node).open())
    house.trunk._wishes = type(house.trunk._wishes)(
        peers=["127.0.0.1"], default=Line(Profile.REPORT), user="callsvc", password="secret",
        registrar=registrar.uri.replace("registrar@", "callsvc@"),
    )  # fmt: skip
    house.trunk._register()
    assert house.trunk.registered is False
    first = await registrar.hear("REGISTER ")
    registrar.reply(
        first, "401 Unauthorized", 'WWW-Authenticate: Digest realm="pbx", nonce="abc", algorithm=MD5'
    )
    second = await registrar.hear("REGISTER ")
    assert 'username="callsvc"' in second.get("Authorization")
    assert re.search(r"sip:callsvc@127\.0\.0\.1", second.get("Contact"))
    registrar.reply(second, "200 OK", "Expires: 60")
    await house.until(lambda: house.trunk.registered)


def test_an_address_has_no_name_in_it() -> None:
    assert address("sip:100@192.0.2.7:5062") == ("100", "192.0.2.7", 5062)
    assert address("sip:192.0.2.7") == ("", "192.0.2.7", 5060)
    assert address("sip:a@[2001:db8::1]:5070") == ("a", "2001:db8::1", 5070)
    for text in ("sip:100@pbx.example", "tel:114", "sips:1@192.0.2.1", "192.0.2.1", ""):
        with pytest.raises(ConfigurationError):
            address(text)
    assert profile_line(Profile.REPORT, "") == Line(Profile.REPORT)


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = Bucket(2.0, 3, now=0.0)
    assert [bucket.take(0.0) for _ in range(5)] == [True, True, True, False, False]
    assert [bucket.take(0.5), bucket.take(0.5), bucket.take(100.0)] == [True, False, True]
    assert sum(bucket.take(100.0) for _ in range(9)) == 2


def test_peers_are_addresses_and_networks() -> None:
    peers = Peers(["192.0.2.0/28", "2001:db8::1"])
    assert [one in peers for one in ("192.0.2.3", "192.0.2.16", "2001:db8::1", "2001:db8::2")] == [
        True,
        False,
        True,
        False,
    ]
    with pytest.raises(ValueError, match="pbx"):
        Peers(["pbx.example"])


def test_a_stateless_answer_echoes_what_it_must_and_nothing_else() -> None:
    invite = b"INVITE sip:1@h SIP/2.0\r\nv: SIP/2.0/UDP a\r\nVia: SIP/2.0/UDP b\r\nf: <sip:x@h>;tag=1\r\nt: <sip:1@h>\r\ni: c\r\nCSeq: 1 INVITE\r\nSubject: secret\r\n\r\n"
    answer = busy(invite).decode()
    assert answer.startswith(
        "SIP/2.0 503 Service Unavailable\r\nVia: SIP/2.0/UDP a\r\nVia: SIP/2.0/UDP b\r\n"
    )
    assert "secret" not in answer
    assert busy(b"INVITE sip:1@h SIP/2.0\r\n\r\n") == b""
