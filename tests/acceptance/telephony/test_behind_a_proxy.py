"""Two media nodes behind Debian's Kamailio with the configuration that we give away, rtpengine beside it: nodes die, calls go
on, and what is heard of them; the trunk encrypts.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from audio import files
from callsvc.demo.composition import Scene, compose
from tests.support import hearing
from tests.support.node import Node, running_node
from tests.support.proxy import Site, configured, kamailio, rtpengine
from tests.support.sip import (
    HOST,
    KAMAILIO,
    Baresip,
    ByHand,
    free_udp_port,
    sdp,
    settings,
    sip_port,
    sipp,
    until,
)
from tests.support.sip_tls import ByTls

pytestmark = [pytest.mark.call, pytest.mark.fault]

PART_S = (11.9, 16.3)
TAIL_S = 60.0
HEAD = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
Call-ID: [call_id]
Max-Forwards: 70
Contact: <sip:sipp@[local_ip]:[local_port]>"""
SDP = """v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8"""


def message(text: str, body: str = "") -> str:
    kind = "Content-Type: application/sdp\n" if body else ""
    return f"<![CDATA[\n{text}\n{kind}Content-Length: [len]\n\n{body}\n]]>"


CALLER = f"""<?xml version="1.0"?><!DOCTYPE scenario SYSTEM "sipp.dtd"><scenario name="caller">
<send retrans="500">{message("INVITE sip:114@[remote_ip]:[remote_port] SIP/2.0" + chr(10) + HEAD + chr(10) + "To: <sip:114@[remote_ip]>" + chr(10) + "CSeq: 1 INVITE", SDP)}</send>
<recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send>{message("ACK [next_url] SIP/2.0" + chr(10) + "[routes]" + chr(10) + HEAD + chr(10) + "To: <sip:114@[remote_ip]>[peer_tag_param]" + chr(10) + "CSeq: 1 ACK")}</send>
<pause milliseconds="300"/>
<send retrans="500">{message("BYE [next_url] SIP/2.0" + chr(10) + "[routes]" + chr(10) + HEAD + chr(10) + "To: <sip:114@[remote_ip]>[peer_tag_param]" + chr(10) + "CSeq: 2 BYE")}</send>
<recv response="200"/></scenario>"""


def call(folder: Path, port: int, count: int) -> None:
    """So many calls, one after the other, each of which must be answered and ended."""
    process = sipp(
        folder, "-sf", str(folder / "caller.xml"), "-p", str(free_udp_port(1)), "-mp", str(free_udp_port(4)),
        "-m", str(count), "-l", "1", "-r", "5", "-timeout_error", f"{HOST}:{port}",
    )  # fmt: skip
    logs = list(folder.glob("sipp-*.log"))
    assert process.wait(90) == 0, "\n".join(log.read_text(errors="replace")[-1500:] for log in logs)


def started(node: Node) -> int:
    return sum(event["kind"] == "call.started" for event in node.events())


def any_let_through(node: Node) -> bool:
    """Whether the machine was too busy for some call's suppressor."""
    return any(hearing.let_through(node, str(event["call"])) for event in node.events())


def heard_by(phone: Baresip) -> hearing.Sound:
    return np.asarray(files.read(phone.heard()[-1], hearing.RATE), np.float64) / 32768


def replacements(site: Site, node: Node) -> int:
    """How many of three calls that name this node, to take the place of one that is not there, it has refused."""
    with ByHand(site.port) as asks:
        for _ in range(3):
            names = "Replaces: nobody@test;to-tag=1;from-tag=2"
            asks.request("INVITE", names, body=sdp(4000), uri=f"sip:callsvc@{HOST}:{sip_port(node)}")
            asks.answer("SIP/2.0 481")
    found = re.search(r'callsvc_sip_calls_total\{status="481"\} (\S+)', node.get("/metrics")[1])
    return int(float(found[1])) if found else 0


@dataclass
class Talk:
    """Calls of a trunk that encrypts, to the operator: both say what the scene has them say."""

    site: Site
    scene: Scene
    caller: Baresip
    operator: Baresip

    def hear(self) -> hearing.Hearing:
        """Call, until enough was heard; what the caller heard of the operator."""
        before, enough = len(self.caller.heard()), 2 * 8000 * (self.scene.length_s + 0.4)
        self.caller.do("dial", f"sip:114@{HOST}:{self.site.secure};transport=tls")
        self.caller.wait("CALL_ESTABLISHED")
        self.operator.wait("CALL_ESTABLISHED")

        def heard() -> bool:
            now = self.caller.heard()
            return len(now) > before and now[-1].stat().st_size > enough

        until(heard, "enough heard")
        assert hearing.likeness(self.scene.caller, heard_by(self.operator)) > 0.6
        return hearing.judge(self.scene, self.scene.operator, heard_by(self.caller))

    def end(self, who: Baresip) -> None:
        who.do("hangup")
        for phone in (self.caller, self.operator):
            phone.wait("CALL_CLOSED")


def test_nodes_die_one_after_the_other_and_every_call_reaches_the_operator(tmp_path: Path) -> None:
    scene = hearing.piece(compose(), *PART_S)
    says = {
        name: hearing.wav(tmp_path / f"{name}.wav", sound, 8000, TAIL_S)
        for name, sound in (("caller", scene.caller), ("operator", scene.operator))
    }
    (tmp_path / "caller.xml").write_text(CALLER)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        operator = stack.enter_context(Baresip(tmp_path, "operator", says["operator"]))

        def node(number: int) -> Node:
            folder = tmp_path / f"node{number}"
            folder.mkdir()
            environment = {"CALLSVC_MEDIA__NODE_ID": f"node-{number}", **settings(operator.uri)}
            return stack.enter_context(running_node(folder, **environment))

        nodes = list(pool.map(node, (1, 2)))
        engine = stack.enter_context(rtpengine(tmp_path / "rtpengine.log"))
        encrypted = ("WITH_TLS", "WITH_SRTP", f'RTPENGINE "{engine}"')
        site = configured(tmp_path / "kamailio", operator.port, nodes, *encrypted)
        stack.enter_context(kamailio(site))
        caller = stack.enter_context(
            Baresip(tmp_path, "caller", says["caller"], certificate=site.certificate)
        )
        talk = Talk(site, scene, caller, operator)

        call(tmp_path, site.port, 4)
        until(lambda: sum(map(started, nodes)) == 4, "four calls on the nodes")
        assert started(nodes[0]) == started(nodes[1]) == 2
        assert [replacements(site, one) for one in nodes] == [3, 3]
        with ByTls(site.secure, site.certificate[0]) as plain:
            plain.calls(sdp(free_udp_port(4)))
            plain.calls(sdp(free_udp_port(4)))
        until(lambda: [started(one) for one in nodes] == [3, 3], "two calls by TLS, with sound in the clear")
        operator.events.clear()

        quiet = talk.hear()
        (first,) = (one for one in nodes if started(one) == 4)
        (second,) = (one for one in nodes if one is not first)
        assert hearing.gone(quiet) or any_let_through(first), quiet
        first.process.kill()
        first.process.wait()
        operator.do("hangup")
        talk.end(caller)

        call(tmp_path, site.port, 2)
        until(lambda: started(second) == 5, "all new calls on the node that is left")
        operator.events.clear()
        quiet = talk.hear()
        assert started(second) == 6
        assert hearing.gone(quiet) or any_let_through(second), quiet
        talk.end(operator)

        second.process.kill()
        second.process.wait()
        loud = talk.hear()
        assert loud.words > 0.6
        assert loud.audible_pct > 80
        assert abs(loud.after_db - loud.before_db) < 6
        talk.end(caller)
        assert (started(first), started(second)) == (4, 6)
    log = (tmp_path / "kamailio" / "log").read_text()
    assert not re.search(r"parsing of SIP message failed|ERROR: .*route", log), log


@pytest.mark.parametrize("wished", [(), ("WITH_TLS",), ("WITH_TLS", "WITH_SRTP")])
def test_the_configuration_is_whole_with_and_without_encryption(
    tmp_path: Path, wished: tuple[str, ...]
) -> None:
    configured(tmp_path / "kamailio", free_udp_port(1), [], *wished)
    (tmp_path / "kamailio/dispatcher.list").write_text(f"1 sip:{HOST}:5060\n")
    command = [str(KAMAILIO), "-c", "-f", str(tmp_path / "kamailio/kamailio.cfg")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
