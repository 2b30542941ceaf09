"""A real Asterisk with a directory of its own: the files of `deploy/asterisk`, ports of its own, two telephones.

Debian 12 has none. It is taken from PATH, or from another Debian in a directory (`ASTERISK_ROOT`), with the libraries that
lie there: nothing is mounted and nobody has to be root.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from audio import files
from tests.support import tones
from tests.support.peers import free_port
from tests.support.sip import HOST, free_udp_port, until

ROOT = "ASTERISK_ROOT"
PASSWORD = "a-password-of-the-test"
DEPLOY = Path(__file__).parents[2] / "deploy" / "asterisk"
RTP_PORTS = 200
HOLD_S = 20
MISSING = (
    "NO ASTERISK ON THIS MACHINE: calls with a real one are not tested. Debian 12 has none; "
    f"`debootstrap --include=asterisk sid DIRECTORY` has, and {ROOT}=DIRECTORY lets the tests find it"
)
MODULES = """
    pbx_config app_dial app_stasis app_playback app_echo
    chan_pjsip res_pjproject res_pjsip res_pjsip_session res_pjsip_sdp_rtp res_pjsip_caller_id res_pjsip_refer
    res_pjsip_endpoint_identifier_user res_pjsip_endpoint_identifier_ip res_pjsip_dtmf_info res_pjsip_nat
    res_pjsip_authenticator_digest res_pjsip_registrar res_pjsip_rfc3326 res_pjsip_pubsub
    res_sorcery_config res_sorcery_memory res_sorcery_astdb res_rtp_asterisk res_timing_timerfd res_crypto
    bridge_simple bridge_softmix bridge_native_rtp bridge_builtin_features
    codec_alaw codec_ulaw codec_g722 codec_resample format_wav format_pcm res_musiconhold
    res_http_websocket res_websocket_client res_stasis res_stasis_answer res_stasis_playback res_stasis_recording
    res_stasis_snoop res_stasis_device_state
    res_ari res_ari_model res_ari_applications res_ari_asterisk res_ari_bridges res_ari_channels res_ari_events
    res_audiosocket chan_audiosocket func_callerid func_channel
"""


def installed() -> list[str] | None:
    """How an Asterisk of this machine is started; None where there is none."""
    if (root := os.environ.get(ROOT)) is None:
        here = shutil.which("asterisk", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        return [here] if here else None
    program = Path(root) / "usr/sbin/asterisk"
    loader = next(Path(root).glob("usr/lib*/ld-linux-*.so.*"), None)
    if loader is None or not program.exists():
        return None
    return [str(loader), "--library-path", ":".join(map(str, _libraries(root))), str(program)]


def _libraries(root: str) -> list[Path]:
    return sorted(Path(root).glob("usr/lib/*-linux-gnu"))


class RealAsterisk:
    """Start it by `with`. The caller's telephone dials `uri`, the operator's is rung at its own address."""

    def __init__(self, folder: Path, operator_uri: str, *, extensions: str = "", pjsip: str = "") -> None:
        self.folder = folder / "asterisk"
        self.http, self.sip = free_port(), free_udp_port(1)
        self._command = installed()
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("etc", "run", "spool", "log", "lib", "keys", "db"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "lib" / "moh").mkdir()
        tone = 0.3 * np.sin(2 * np.pi * tones.HZ["music"] * np.arange(HOLD_S * 8000) / 8000)
        with files.WavWriter(self.folder / "lib" / "moh" / "tone.wav", 8000) as file:
            file.write((tone * 32767).astype(np.int16))
        for name, text in self._files(operator_uri, extensions, pjsip).items():
            (self.folder / "etc" / name).write_text(text)

    def _files(self, operator_uri: str, extensions: str, pjsip: str) -> Mapping[str, str]:
        system = os.environ.get(ROOT, "")
        modules = next(iter(_libraries(system or "/")), Path("/usr/lib")) / "asterisk" / "modules"
        first = free_udp_port(2)
        rtp = min(first - first % 2, 65_534 - RTP_PORTS)
        shipped = {name: (DEPLOY / name).read_text() for name in ("ari.conf", "extensions.conf", "http.conf")}
        telephones = (DEPLOY / "pjsip.conf").read_text()
        return {
            "asterisk.conf": "\n".join(
                [
                    "[directories]",
                    f"astetcdir => {self.folder}/etc",
                    f"astmoddir => {modules}",
                    f"astdatadir => {system}/usr/share/asterisk",
                    f"astvarlibdir => {self.folder}/lib",
                    f"astdbdir => {self.folder}/db",
                    f"astkeydir => {self.folder}/keys",
                    f"astspooldir => {self.folder}/spool",
                    f"astrundir => {self.folder}/run",
                    f"astlogdir => {self.folder}/log",
                    "",
                ]
            ),
            "modules.conf": "[modules]\nautoload=no\n"
            + "".join(f"load = {name}.so\n" for name in MODULES.split()),
            "logger.conf": "[general]\n[logfiles]\nmessages => notice,warning,error,verbose(3)\n",
            "http.conf": shipped["http.conf"].replace("8088", str(self.http)),
            "ari.conf": shipped["ari.conf"].replace("change-me-to-a-long-random-word", PASSWORD),
            "extensions.conf": shipped["extensions.conf"] + extensions,
            "pjsip.conf": telephones.replace("0.0.0.0:5060", f"{HOST}:{self.sip}").replace(
                "sip:operator@192.0.2.7:5060", operator_uri
            )
            + pjsip,
            "rtp.conf": f"[general]\nrtpstart={rtp}\nrtpend={rtp + RTP_PORTS}\nicesupport=no\n",
            "musiconhold.conf": f"[default]\nmode=files\ndirectory={self.folder}/lib/moh\n",
        }

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a node that takes its calls."""
        return {
            "CALLSVC_ASTERISK__URL": f"http://{HOST}:{self.http}",
            "CALLSVC_ASTERISK__PASSWORD": PASSWORD,
            "CALLSVC_ASTERISK__PORT": "0",
        }

    def uri(self, number: str) -> str:
        return f"sip:{number}@{HOST}:{self.sip}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        assert self._command is not None, MISSING
        log = (self.folder / "output").open("ab")
        self._process = subprocess.Popen(
            [*self._command, "-f", "-n", "-C", str(self.folder / "etc" / "asterisk.conf")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
        )
        log.close()
        until(self._answers, "Asterisk answers")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            self.ari("GET", "/asterisk/info")
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()  # it would take its time to say goodbye
        if self._process:
            self._process.wait()

    @property
    def log(self) -> str:
        told = self.folder / "log" / "messages"
        return (self.folder / "output").read_text(errors="replace") + (
            told.read_text(errors="replace") if told.exists() else ""
        )

    def cli(self, words: str) -> str:
        """What Asterisk answers to a command of its own console."""
        assert self._command is not None
        asked = subprocess.run(
            [*self._command, "-C", str(self.folder / "etc" / "asterisk.conf"), "-r", "-x", words],
            capture_output=True,
            text=True,
            timeout=60,
        )
        return asked.stdout

    def ari(self, method: str, path: str, **query: str) -> Any:
        """Ask as somebody else than the node would."""
        known = urllib.parse.urlencode({"api_key": f"callsvc:{PASSWORD}", **query})
        asked = urllib.request.Request(f"http://{HOST}:{self.http}/ari{path}?{known}", method=method)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    @property
    def channels(self) -> list[str]:
        return [one["name"] for one in self.ari("GET", "/channels")]

    @property
    def bridges(self) -> list[list[str]]:
        """Who is with whom."""
        names = {one["id"]: one["name"] for one in self.ari("GET", "/channels")}
        return [[names.get(one, one) for one in bridge["channels"]] for bridge in self.ari("GET", "/bridges")]
