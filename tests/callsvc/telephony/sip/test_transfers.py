"""A transfer after a word with the third: the call that is to be replaced has other names on each side of us."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import pytest

from audio.rtp import Packet
from callsvc.telephony.sip.line import Line
from callsvc.telephony.sip.replaces import Replaces, read, referred, sent_to
from callsvc.types import Profile
from tests.callsvc.telephony.sip.conftest import House
from tests.support.sip import HOST
from tests.support.telephone import Message, Telephone

pytestmark = pytest.mark.call


@pytest.fixture
def max_calls() -> int:
    return 3


@dataclass
class Consultation:
    """The caller talks with the operator, who talks with the third meanwhile; both over the node."""

    house: House
    asking: Telephone
    """The operator's telephone, in its second call."""
    third: Telephone
    invite: Message
    """What the node asked the third with."""
    referred: Telephone
    """The caller's telephone, in the call that it is to make."""

    @property
    def replaces(self) -> str:
        """The second call, as the operator's telephone calls it to the node."""
        return f"{self.asking.call_id};to-tag={self.asking.remote_tag};from-tag={self.asking.tag}"

    async def ends(self) -> None:
        """Of the second call, the operator's telephone is told."""
        self.asking.reply(await self.asking.hear("BYE "), "200 OK")


@pytest.fixture
async def consultation(house: House, request: pytest.FixtureRequest) -> Consultation:
    node = house.caller.node
    asking, third, referred = [await Telephone(name, node).open() for name in ("asking", "third", "referred")]
    house.others += [asking, third, referred]
    lines = [("115", Line(Profile.REPORT, "third", HOST, third.port))]
    house.trunk._wishes = type(house.trunk._wishes)(
        peers=[HOST], default=house.trunk._wishes.default, lines=lines
    )
    await house.talking()
    asking.number = "115"
    asking.request("INVITE", body=asking.offer())
    invite = await third.hear("INVITE ")
    third.reply(invite, "200 OK", *getattr(request, "param", ["Supported: replaces"]), body=third.offer())
    await third.hear("ACK ")
    asking.remote_tag = (await asking.hear("SIP/2.0 200")).get("To").partition(";tag=")[2]
    asking.request("ACK")
    await house.until(lambda: len(house.board.calls) == 2)
    return Consultation(house, asking, third, invite, referred)


async def test_who_is_transferred_takes_the_operators_place_with_the_third(
    consultation: Consultation,
) -> None:
    house, third, new = consultation.house, consultation.third, consultation.referred
    escaped = quote(consultation.replaces, safe="")
    house.operator.send_as_called(
        "REFER", f"Refer-To: <sip:callsvc@{HOST}:{house.trunk.address[1]}?Replaces={escaped}>"
    )
    assert f"Replaces={escaped}" in (await house.caller.hear("REFER ")).get("Refer-To")

    new.request("INVITE", "Require: replaces", f"Replaces: {consultation.replaces}", body=new.offer())
    invite = await third.hear("INVITE ")
    told = read(invite.get("Replaces"))
    assert told is not None
    assert told.call_id == third.call_id != consultation.asking.call_id
    assert (told.to_tag, told.from_tag) == (third.tag, consultation.invite.get("From").partition(";tag=")[2])

    old = third.invite
    third.reply(invite, "200 OK", body=third.offer())
    answer = await new.hear("SIP/2.0 200")
    new.remote_tag = answer.get("To").partition(";tag=")[2]
    new.request("ACK")
    await consultation.ends()
    assert old is consultation.invite
    await house.until(lambda: len(house.trunk.calls) == 2)
    new.say(answer.rtp_port, Packet(8, 1, 160, 77, b"\x55" * 160))
    assert (await third.sound()).payload == b"\x55" * 160
    assert consultation.asking.silent()


@pytest.mark.parametrize("consultation", [[]], indirect=True)
async def test_a_third_that_does_not_know_of_it_rings_once_more(consultation: Consultation) -> None:
    house, third, new = consultation.house, consultation.third, consultation.referred
    new.request("INVITE", f"Replaces: {consultation.replaces}", body=new.offer())
    invite = await third.hear("INVITE ")
    assert not invite.get("Replaces")
    assert len(house.trunk.calls) == 3
    third.reply(invite, "200 OK", body=third.offer())
    await new.hear("SIP/2.0 200")
    await consultation.ends()


async def test_a_third_that_refuses_leaves_both_calls_as_they_are(consultation: Consultation) -> None:
    new = consultation.referred
    new.request("INVITE", f"Replaces: {consultation.replaces}", body=new.offer())
    consultation.third.reply(await consultation.third.hear("INVITE "), "486 Busy Here")
    assert (await new.hear("SIP/2.0 4")).first == "SIP/2.0 486 Busy Here"
    assert len(consultation.house.trunk.calls) == 2


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda text: text.replace("asking-tag", "other"), "481 Call/Transaction Does Not Exist"),
        (lambda text: text + ";early-only", "486 Busy Here"),
        (lambda text: text.partition(";")[0], "481 Call/Transaction Does Not Exist"),
    ],
)
async def test_a_dialog_that_is_not_there_cannot_be_replaced(
    consultation: Consultation, change: object, status: str
) -> None:
    assert callable(change)
    consultation.referred.request(
        "INVITE", f"Replaces: {change(consultation.replaces)}", body=consultation.referred.offer()
    )
    assert (await consultation.referred.hear("SIP/2.0 4")).first == f"SIP/2.0 {status}"
    assert len(consultation.house.trunk.calls) == 2


async def test_nobody_takes_an_operators_place_with_a_caller(consultation: Consultation) -> None:
    third, new = consultation.third, consultation.referred
    named = f"{third.call_id};to-tag={third.remote_tag};from-tag={third.tag}"
    new.request("INVITE", f"Replaces: {named}", body=new.offer())
    assert (await new.hear("SIP/2.0 6")).first == "SIP/2.0 603 Decline"
    assert len(consultation.house.trunk.calls) == 2


async def test_a_transfer_into_a_call_of_ours_is_sent_to_us_by_whatever_way_its_number_came(
    consultation: Consultation,
) -> None:
    house = consultation.house
    escaped = quote(consultation.replaces, safe="")
    house.operator.send_as_called(
        "REFER", f"Refer-To: <sip:115@exchange.example;user=phone?Replaces={escaped}>"
    )
    passed = (await house.caller.hear("REFER ")).get("Refer-To")
    assert passed == f"<sip:115@{HOST}:{house.trunk.address[1]}?Replaces={escaped}>"


def test_what_is_to_be_replaced_is_read_as_it_is_written() -> None:
    assert read("a@b ; to-tag = 1;from-tag=2;early-only") == Replaces("a@b", "1", "2", True)
    assert read("a@b;to-tag=1") is None
    assert referred("<sip:x@y?Subject=z&Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>") == Replaces(
        "a@b", "1", "2"
    )
    assert referred("<sip:x@y>") is None
    assert referred("sip:x@y") is None
    assert sent_to("<sips:x@y:5;a=b?c=d>", "192.0.2.1", 5060) == "<sip:x@192.0.2.1:5060?c=d>"
