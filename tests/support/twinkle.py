"""Twinkle, a telephone that transfers after a word with the third (RFC 3891), at its console.

Not the third itself: as it is in Debian 12 (1.10.2) it finds the call that is to be replaced, and then waits for itself for ever.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import Self

from tests.support.ear import Ear
from tests.support.sip import HOST, free_udp_port, until

TWINKLE = shutil.which("twinkle-console", path="/usr/bin:/usr/local/bin")
SYSTEM = """dev_ringtone=alsa:{name}
dev_speaker=alsa:{name}
dev_mic=alsa:{name}
validate_audio_dev=no
play_ringtone=no
play_ringback=no
log_max_size=20
sip_port={port}
rtp_port={rtp}
"""
USER = """user_name={name}
user_domain={host}:{port}
codecs=g711a
ext_replaces=yes
ask_user_to_refer=no
register_at_startup=no
speex_dsp_vad=no
speex_dsp_agc=no
speex_dsp_aec=no
speex_dsp_nrd=no
sip_transport=udp
"""
RTP_PORTS = 8


class Twinkle:
    """One telephone, which hears and speaks by the sink and the source of its ear. Use as a context manager."""

    def __init__(self, folder: Path, ear: Ear) -> None:
        self.name = ear.name
        self.port = free_udp_port(1)
        self._home = folder / f"{self.name}-home"
        self._environment = {**ear.environment, "HOME": str(self._home)}

    @property
    def uri(self) -> str:
        return f"sip:{self.name}@{HOST}:{self.port}"

    def __enter__(self) -> Self:
        assert TWINKLE is not None, "Twinkle is not installed (apt-get install twinkle-console)"
        settings = self._home / ".twinkle"
        settings.mkdir(parents=True)
        (settings / "twinkle.sys").write_text(
            SYSTEM.format(name=self.name, port=self.port, rtp=free_udp_port(RTP_PORTS))
        )
        (settings / f"{self.name}.cfg").write_text(USER.format(name=self.name, host=HOST, port=self.port))
        with (self._home / "said").open("wb") as said:
            self._process = subprocess.Popen(
                [TWINKLE, f"{self.name}.cfg"],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        self.do("auto_answer -a on")
        self.wait("Auto answer enabled")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self.do("quit")
            self._process.wait(5)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def do(self, command: str) -> None:
        """A command at its console."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        self._process.stdin.flush()

    @property
    def said(self) -> str:
        return (self._home / "said").read_text(errors="replace")

    def wait(self, text: str, times: int = 1) -> None:
        """Until it has said this so many times."""
        until(lambda: self.said.count(text) >= times, f"{text!r} of {self.name}")
