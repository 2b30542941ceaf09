"""Makes the packaged announcements anew from their texts, with espeak-ng: callsvc/telephony/announcements/*.ogg.

python deploy/announcements.py
"""

from __future__ import annotations

import subprocess
import tempfile
import tomllib
from pathlib import Path

import soundfile

from audio.resample import whole

PLACE = Path(__file__).resolve().parent.parent / "callsvc" / "telephony" / "announcements"
RATE_HZ = 16_000
WORDS_A_MINUTE = "145"


def main() -> None:
    entries = tomllib.loads((PLACE / "catalogue.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        for name, entry in entries.items():
            for language, text in entry.items() if isinstance(entry, dict) else ():
                if language == "version":
                    continue
                if not text or language in entries.get("unread", ()):
                    print(f"{name}.{language}.ogg: no voice speaks it; to be read by somebody")
                    continue
                subprocess.run(
                    ["espeak-ng", "-v", language, "-s", WORDS_A_MINUTE, "-w", spoken, "--", text], check=True
                )
                sound, rate = soundfile.read(spoken, dtype="float32")
                made = PLACE / f"{name}.{language}.ogg"
                soundfile.write(
                    made, whole(sound * 0.7, rate, RATE_HZ), RATE_HZ, format="OGG", subtype="OPUS"
                )
                print(made.name, f"{len(sound) / rate:.1f} s")


if __name__ == "__main__":
    main()
