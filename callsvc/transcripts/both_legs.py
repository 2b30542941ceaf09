"""Both legs through the recogniser, in a thread of their own, piece by piece.

Each piece is in the database before the next one begins: who takes the work up after a fall goes on at the first piece
that is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from callsvc.errors import Unavailable
from callsvc.jobs import Work, queue
from callsvc.store import transcripts
from callsvc.transcripts import assembly, models
from callsvc.transcripts.listening import HeardPiece, HeardWord, listen
from callsvc.transcripts.port import Recorded
from callsvc.types import Leg, Track
from models.recogniser import voice
from models.recogniser.directory import ModelCard

PROGRESS_EVERY_S = 1.0
# What the caller heard is what the operator said, for a transcript too.
TRACKS = ((Leg.CALLER, Track.CALLER_RX), (Leg.OPERATOR, Track.OPERATOR_TX))


class Overtaken(Exception):
    """Work that is more urgent waits: this goes on afterwards, at the piece where it stopped."""


class _Stopped(Exception):
    """Nobody waits for this any more."""


class BothLegs:
    """One run over a recording."""

    def __init__(self, work: Work, transcript_id: UUID, languages: Sequence[str]) -> None:
        self._work = work
        self._transcript = transcript_id
        self._languages = languages
        self._share = 0.0
        self._began: tuple[float, float] | None = None
        """When and at which share the first look at the progress was."""
        self._stop = threading.Event()

    async def run(self, recorded: Recorded, card: ModelCard) -> None:
        """Hear what nobody has heard yet. Raises `Overtaken`; cancelled, it ends with the piece that it is at."""
        async with self._work.database.transaction() as conn:
            there = await transcripts.pieces(conn, self._transcript)
        known = {leg: {one.start_ms for one in there if one.leg == leg} for leg, _ in TRACKS}
        loop = asyncio.get_running_loop()

        def both() -> None:
            recogniser = models.load(card)
            for k, (leg, track) in enumerate(TRACKS):

                def tell(done: float, k: int = k) -> None:
                    self._share = (k + done) / len(TRACKS)
                    if self._stop.is_set():
                        raise _Stopped

                if track in recorded.tracks:
                    pieces = listen(
                        recorded, track, leg, recogniser, self._languages, voice.stretches, tell, known[leg]
                    )
                    for piece in pieces:
                        asyncio.run_coroutine_threadsafe(self._keep(piece), loop).result()

        running = asyncio.ensure_future(asyncio.to_thread(both))
        overtaken = False
        try:
            while not (await asyncio.wait({running}, timeout=PROGRESS_EVERY_S))[0]:
                # How far it has come is not worth losing it for.
                with contextlib.suppress(Unavailable):
                    overtaken = overtaken or await self._tell()
                if overtaken:
                    self._stop.set()
            try:
                running.result()
            except _Stopped:
                raise Overtaken from None
        finally:
            self._stop.set()
            # What the thread keeps, it keeps through this loop: it is let finish its piece.
            await asyncio.wait({running})
            if not running.cancelled():
                running.exception()

    async def _keep(self, piece: HeardPiece) -> None:
        words = [assembly.row(word) | {"level_db": word.level_db} for word in piece.words]
        row = transcripts.PieceRow(
            piece.leg, piece.start_ms, piece.end_ms, piece.language, piece.likely, words
        )
        async with self._work.database.transaction() as conn:
            await transcripts.keep_piece(conn, self._transcript, row, at=self._work.clock.utc_now())

    async def _tell(self) -> bool:
        """Write how far it is and when it will be done; whether something more urgent waits."""
        clock = self._work.clock
        self._began = self._began or (clock.monotonic(), self._share)
        began, from_share = self._began
        done = self._share - from_share
        expected = None
        if done > 0.01:
            left = (1.0 - self._share) * (clock.monotonic() - began) / done
            expected = clock.utc_now() + timedelta(seconds=left)
        async with self._work.database.transaction() as conn:
            await transcripts.set_progress(conn, self._transcript, self._share, expected_at=expected)
            return await queue.overtaken(conn, self._work.job_id)


def heard(rows: Sequence[transcripts.PieceRow]) -> list[HeardPiece]:
    """Pieces as they were kept, back into what the recogniser's side works with."""
    return [
        HeardPiece(
            row.leg,
            row.start_ms,
            row.end_ms,
            row.language,
            row.likely,
            tuple(
                HeardWord(
                    word["start_ms"],
                    word["end_ms"],
                    word["text"],
                    word["probability"],
                    bool(word.get("unsure")),
                    bool(word.get("estimated")),
                    word["level_db"],
                )
                for word in row.words
            ),
        )
        for row in rows
    ]
