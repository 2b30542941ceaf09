"""The demonstration from end to end: a scene, a call, what came of it, the files it leaves."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np

from audio.suppressor import RATE as SUPPRESSOR_RATE
from callsvc.access import passwords, people
from callsvc.clock import Clock
from callsvc.config import Settings
from callsvc.demo import composition, figures, measure, outcome, placing
from callsvc.demo.api import Api
from callsvc.demo.composition import Scene
from callsvc.demo.figures import Figures
from callsvc.demo.outcome import Books
from callsvc.demo.placing import Invitation, Line, Side
from callsvc.demo.progress import Teller
from callsvc.demo.report import Report
from callsvc.demo.sound import write
from callsvc.ids import new_id, parse_id
from callsvc.locale import text
from callsvc.pictures import Labels, before_after, spectrogram
from callsvc.store import Database, calls
from callsvc.telephony import token_keys, tokens
from callsvc.types import Leg, Profile, Role

NAME = "demo"
# Both speak Opus, so that the caller's packets can be passed on as they are.
LINES = {Leg.CALLER: Line("webrtc", "opus"), Leg.OPERATOR: Line("webrtc", "opus")}
REPORT, PICTURE = "report.json", "picture.png"

Invite = Callable[[], Awaitable[Invitation]]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may take calls and listen to them; made for the demonstration."""

    name: str
    password: str


async def account(database: Database, clock: Clock, lang: str) -> Account:
    """A new account for the demonstration's operator, with a password of its own."""
    password = passwords.one_time()
    async with database.transaction() as conn:
        await people.create(
            conn,
            name=NAME,
            display_name=text("demo.operator", lang),
            roles=[Role.OPERATOR, Role.QA],
            password=password,
            at=clock.utc_now(),
            must_change_password=False,
        )
    return Account(NAME, password)


async def invite_by_api(base: str, who: Account) -> Invitation:
    """Sign in and ask for a call, as the operator's page does."""
    api = Api(base)
    await api.sign_in(who.name, who.password)
    placed = await api.post("/api/calls", {"profile": Profile.REPORT.value})
    return Invitation(
        placed["call_id"],
        placed["media_url"],
        {Leg.CALLER: placed["caller_token"], Leg.OPERATOR: placed["operator_token"]},
    )


async def invite_from_within(
    settings: Settings, database: Database, clock: Clock, media_url: str, by: UUID | None
) -> Invitation:
    """A call in the service's own name, marked as a demonstration."""
    call_id, now = new_id(), clock.utc_now()
    async with database.transaction() as conn:
        await calls.create(conn, call_id, Profile.REPORT, at=now, created_by=by, demo=True)
    key = token_keys.private_key(settings.data_dir / "keys")
    issued = {
        leg: tokens.issue(
            key,
            now,
            call=str(call_id),
            leg=leg,
            profile=Profile.REPORT,
            subject=str(by or call_id),
            demonstration=True,
        )
        for leg in Leg
    }
    return Invitation(str(call_id), media_url, issued)


async def demonstrate(
    settings: Settings, database: Database, clock: Clock, invite: Invite, out: Path, teller: Teller, lang: str
) -> Report:
    """Place the call, wait for what becomes of it, measure, and leave report, sounds and picture in `out`."""
    begun = clock.monotonic()
    scene = await asyncio.to_thread(composition.compose)
    work = out / "work"
    play = await asyncio.to_thread(_lay_out, scene, work)
    teller.step("placing")
    invitation = await invite()
    teller.step("calling")
    sides = await placing.place(invitation, LINES, play, work, scene.length_s, teller.call)
    call_id = parse_id(invitation.call_id)
    found = await outcome.books(database, clock, call_id, teller.step)
    teller.step("measuring")
    measured = await asyncio.to_thread(figures.figures, scene, sides)
    engine_ms = await asyncio.to_thread(figures.engine_delay_ms, scene)
    whole = await asyncio.to_thread(outcome.verified, settings, call_id, found.recording)
    teller.step("writing")
    report = _report(call_id, found, measured, engine_ms, whole, scene, clock.monotonic() - begun)
    await asyncio.to_thread(_leave, settings, report, found, measured, scene, sides, out, lang)
    return report


def _lay_out(scene: Scene, work: Path) -> dict[Leg, Path]:
    work.mkdir(parents=True, exist_ok=True)
    play = {Leg.OPERATOR: work / "operator_says.wav", Leg.CALLER: work / "caller_says.wav"}
    write(play[Leg.OPERATOR], scene.operator, composition.RATE)
    write(play[Leg.CALLER], scene.caller, composition.RATE)
    return play


def _report(
    call_id: UUID,
    found: Books,
    measured: Figures,
    engine_ms: float,
    verified: bool,
    scene: Scene,
    seconds: float,
) -> Report:
    proof = found.proof
    return Report(
        call_id=str(call_id),
        length_s=found.length_ms / 1000,
        strokes=proof.strokes,
        strokes_typed=len(scene.strokes_s),
        strokes_judged=measured.heard.judged,
        audible_before_pct=round(measured.typed.audible_pct, 1),
        audible_after_pct=round(measured.heard.audible_pct, 1),
        level_before_db=round(measured.typed.level_db, 1),
        level_after_db=round(measured.heard.level_db, 1),
        detour_delay_ms=round(measured.whole_delay_ms - measured.untouched_delay_ms, 1),
        whole_delay_ms=round(measured.whole_delay_ms, 1),
        added_delay_ms=round(engine_ms, 2),
        declared_delay_ms=round(1000 * proof.latency_samples / SUPPRESSOR_RATE, 2),
        similarity=round(measured.similarity, 4),
        caller_unchanged=measured.caller_unchanged,
        tracks=list(found.tracks),
        sealed=found.recording.outcome == "complete",
        verified=verified,
        transcript_state=found.transcript.state if found.transcript else "none",
        transcript_words=found.words,
        transcript_said=sum(len(words.split()) for _, words in scene.said),
        transcript_right=found.right(scene.said),
        model=proof.model,
        passed_pct=round(100 * proof.blocks_passed / max(1, proof.blocks), 2),
        service=found.own_proof(),
        seconds=round(seconds, 1),
    )


def _leave(
    settings: Settings,
    report: Report,
    found: Books,
    measured: Figures,
    scene: Scene,
    sides: dict[Leg, Side],
    out: Path,
    lang: str,
) -> None:
    write(out / "before.wav", scene.operator, composition.RATE)
    raw, rate = outcome.sent_to_caller(settings, UUID(report.call_id), found.recording)
    write(out / "after.wav", np.frombuffer(raw, "<i2").astype(np.float64) / 32768.0, rate)
    shutil.copyfile(sides[Leg.CALLER].heard, out / "caller_heard.wav")
    shutil.copyfile(sides[Leg.OPERATOR].heard, out / "operator_heard.wav")
    labels = Labels(
        text("demo.picture.title", lang),
        text("demo.picture.before", lang),
        text("demo.picture.after", lang),
        text("demo.picture.strokes", lang, strokes=len(scene.strokes_s)),
    )
    rate = measure.RATE
    picture = before_after(
        spectrogram(measured.before.astype(np.float32), rate),
        spectrogram(measured.after.astype(np.float32), rate),
        scene.strokes_s,
        labels,
    )
    picture.save(out / PICTURE)
    (out / REPORT).write_text(report.json(), encoding="utf-8")
