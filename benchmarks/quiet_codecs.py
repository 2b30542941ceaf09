"""What the suppressor does to sound that has been through a codec on its way in, by the pool's own judge.

    python -m benchmarks.quiet_codecs [--pool ../shared/typing] [--quick]

Every mix is encoded and decoded before the engine, as a microphone's sound is that comes by telephone: Opus as browsers
send it, G.722, and A-law (8 kHz). The reference voice is coded, too, so that a column tells what the suppressor does and
not what the codec does; a stroke is audible against the room's own noise, as if there were no codec. Peer: the engine on
the same mixes uncoded. Results go to benchmarks/results/quiet-codecs.json.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy.signal import correlate

from audio.codecs import by_name
from audio.suppressor import RATE
from audio.suppressor.frames import Float
from benchmarks.pool import Row, asked, load, run
from models.suppressor.training.validate import COLUMNS

CODECS = ("none", "opus", "G722", "PCMA")
LONGEST_LAG = RATE // 10


def coded(name: str) -> Callable[[Float], Float]:
    """There and back again, at 16 kHz; a little later than it went in."""
    if name == "none":
        return lambda sound: sound
    codec = by_name(name)

    def through(sound: Float) -> Float:
        encoder, decoder = codec.encoder(), codec.decoder()
        given = soxr.resample(sound, RATE, codec.rate_hz).astype(np.float32)
        size = codec.frame_samples
        whole = np.pad(given, (0, -len(given) % size + 2 * size))
        words = np.clip(np.round(whole * 32768), -32768, 32767).astype(np.int16)
        out = [decoder.decode(encoder.encode(words[n : n + size])) for n in range(0, len(words), size)]
        back: Float = soxr.resample(np.concatenate(out).astype(np.float32) / 32768, codec.rate_hz, RATE)
        return back.astype(np.float32)

    return through


def lag(sound: Float, later: Float) -> int:
    """Samples by which one follows the other."""
    count = min(len(sound), len(later))
    both = correlate(later[:count], sound[:count], method="fft")
    middle = count - 1
    return int(np.argmax(np.abs(both[middle : middle + LONGEST_LAG])))


def pool_through(pool: Path, name: str, place: Path) -> Path:
    """A pool whose mixes have been through the codec; what is no voice and no noise counts as typing."""
    (place / "mixes" / "16k").mkdir(parents=True)
    through = coded(name)
    for labels in sorted(pool.glob("mixes/*.json")):
        shutil.copyfile(labels, place / "mixes" / labels.name)
        mix, clean, typing = (
            soundfile.read(pool / f"mixes/16k/{labels.stem}.{part}.flac", dtype="float32")[0]
            for part in ("mix", "clean", "typing")
        )
        noise = mix - clean - typing
        heard = through(mix)
        late = lag(mix, heard)
        mix, clean = (np.pad(sound[late:], (0, len(mix)))[: len(mix)] for sound in (heard, through(clean)))
        for part, sound in (("mix", mix), ("clean", clean), ("typing", mix - clean - noise)):
            file = place / "mixes" / "16k" / f"{labels.stem}.{part}.flac"
            soundfile.write(file, np.clip(sound, -1, 1), RATE, subtype="PCM_24")
    return place


def main() -> None:
    given = asked(__doc__, "quiet-codecs.json")
    module, network = given.judge, given.network
    print(f"{network.name} {network.sha256[:12]}; peer: no codec")
    table: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in CODECS:
            pool = pool_through(given.pool, name, Path(folder) / name)
            ran = run(network, load(module, pool), Row("blind", False, None))
            summary, _, _ = module.score(
                str(pool), lambda i, path, ran=ran: ran.heard[i].astype(np.float64), RATE, given.quick
            )
            if not table:
                print(f"{'':8}" + "".join(f"{COLUMNS[key]:>26}" for key in COLUMNS if key in summary))
            table[name] = {key: round(float(summary[key]), 3) for key in COLUMNS if key in summary}
            print(f"{name:8}" + "".join(f"{value:26.3f}" for value in table[name].values()), flush=True)
    given.write("none", rows=table)


if __name__ == "__main__":
    main()
