"""Two media nodes behind Debian's Kamailio with the configuration that we give away: nodes die, calls go on."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.node import Node, running_node
from tests.support.peers import free_port
from tests.support.sip import HOST, KAMAILIO, ByHand, free_udp_port, sdp, settings, sip_port, sipp, until
from tests.support.sip_tls import ByTls, certificate

pytestmark = [pytest.mark.call, pytest.mark.fault]

CONFIGURATION = Path(__file__).parents[3] / "deploy" / "kamailio" / "kamailio.cfg"
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
ANSWER = """[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:operator@[local_ip]:[local_port]>"""
OPERATOR = f"""<?xml version="1.0"?><!DOCTYPE scenario SYSTEM "sipp.dtd"><scenario name="operator">
<recv request="INVITE" crlf="true"/>
<send>{message("SIP/2.0 180 Ringing" + chr(10) + ANSWER)}</send>
<send retrans="500">{message("SIP/2.0 200 OK" + chr(10) + ANSWER, SDP)}</send>
<recv request="ACK" optional="true" crlf="true"/>
<recv request="BYE"/>
<send>{message("SIP/2.0 200 OK" + chr(10) + ANSWER.replace(";tag=[call_number]", ""))}</send></scenario>"""


def configured(folder: Path, operator: int, nodes: list[Node], *more: str) -> tuple[int, int]:
    """Kamailio's files with this site's own addresses; its ports for UDP and TLS."""
    folder.mkdir()
    port, secure = free_udp_port(1), free_port()
    shutil.copy(CONFIGURATION, folder)
    (folder / "dispatcher.list").write_text("".join(f"1 sip:{HOST}:{sip_port(node)}\n" for node in nodes))
    (modules,) = Path("/usr/lib").glob("*/kamailio/modules")
    made, key = certificate(folder)
    own = [
        f"#!define LISTEN udp:{HOST}:{port}",
        f"#!define LISTEN_TLS tls:{HOST}:{secure}",
        f'#!define DISPATCHER_LIST "{folder}/dispatcher.list"',
        f'#!define OPERATOR "sip:operator@{HOST}:{operator}"',
        f'#!define MODULES "{modules}/"',
        f'#!define TLS_CERTIFICATE "{made}"',
        f'#!define TLS_KEY "{key}"',
        "#!define PING_S 1",
        *more,
    ]
    (folder / "callsvc.cfg").write_text("\n".join(own) + "\n")
    return port, secure


@contextlib.contextmanager
def proxy(folder: Path, operator: int, nodes: list[Node]) -> Iterator[tuple[int, ByTls]]:
    """Kamailio as it is configured, with this site's own addresses; its port, and a caller whom it knows by TLS."""
    assert KAMAILIO is not None, "Kamailio is not installed (apt-get install kamailio)"
    port, secure = configured(folder, operator, nodes, "#!define WITH_TLS")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [KAMAILIO, "-f", str(folder / "kamailio.cfg"), "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(folder)],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        with ByHand(port) as asks:

            def answers() -> bool:
                assert process.poll() is None, (folder / "log").read_text()
                asks.request("OPTIONS")
                return any(text.startswith("SIP/2.0 200") for text in asks.answers(0.2))

            until(answers, "Kamailio")
        with ByTls(secure, folder / "trunk.crt") as caller:
            yield port, caller
    finally:
        process.terminate()
        process.wait(20)


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


def test_nodes_die_one_after_the_other_and_every_call_reaches_the_operator(tmp_path: Path) -> None:
    operator = free_udp_port(1)
    (tmp_path / "caller.xml").write_text(CALLER)
    (tmp_path / "operator.xml").write_text(OPERATOR)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:

        def node(number: int) -> Node:
            folder = tmp_path / f"node{number}"
            folder.mkdir()
            wished = settings(f"sip:operator@{HOST}:{operator}")
            environment = {
                "CALLSVC_MEDIA__NODE_ID": f"node-{number}",
                "CALLSVC_SUPPRESSOR__ENABLED": "false",
                **wished,
            }
            return stack.enter_context(running_node(folder, **environment))

        first, second = pool.map(node, (1, 2))
        phone = sipp(
            tmp_path, "-sf", str(tmp_path / "operator.xml"), "-p", str(operator), "-mp", str(free_udp_port(4)),
            "-m", "16", timeout_s=300.0,
        )  # fmt: skip
        stack.callback(phone.wait, 20)
        stack.callback(phone.terminate)
        port, secure = stack.enter_context(proxy(tmp_path / "kamailio", operator, [first, second]))

        call(tmp_path, port, 4)
        until(lambda: started(first) + started(second) == 4, "four calls on the nodes")
        assert started(first) == started(second) == 2
        secure.calls(sdp(free_udp_port(4)))
        secure.calls(sdp(free_udp_port(4)))
        until(lambda: started(first) == started(second) == 3, "two calls by TLS")

        first.process.kill()
        first.process.wait()
        call(tmp_path, port, 4)
        until(lambda: started(second) == 7, "all new calls on the node that is left")

        second.process.kill()
        second.process.wait()
        call(tmp_path, port, 4)
        assert (started(first), started(second)) == (3, 7)
    log = (tmp_path / "kamailio" / "log").read_text()
    assert not re.search(r"parsing of SIP message failed|ERROR: .*route", log), log


@pytest.mark.parametrize("wished", [(), ("WITH_TLS",), ("WITH_TLS", "WITH_SRTP")])
def test_the_configuration_is_whole_with_and_without_encryption(
    tmp_path: Path, wished: tuple[str, ...]
) -> None:
    configured(tmp_path / "kamailio", free_udp_port(1), [], *(f"#!define {one}" for one in wished))
    (tmp_path / "kamailio/dispatcher.list").write_text(f"1 sip:{HOST}:5060\n")
    command = [str(KAMAILIO), "-c", "-f", str(tmp_path / "kamailio/kamailio.cfg")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
