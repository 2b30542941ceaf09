"""Calls: which there are, what is known of one, a new one, and opening one with a reason."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from callsvc.access import reasons
from callsvc.access.ownership import demand_call
from callsvc.access.rights import Action, Scope, demand
from callsvc.access.sessions import Session
from callsvc.errors import NotFound, UsageError
from callsvc.ids import new_id
from callsvc.shift import queue
from callsvc.store import calls, overview, proofs, recordings
from callsvc.store.overview import Overview
from callsvc.telephony import tokens
from callsvc.types import CallState, Leg, RecordingState, TranscriptState
from callsvc.web import door
from callsvc.web.door import CallId, OneSite
from callsvc.web.health import media_url
from callsvc.web.problems import Problem
from callsvc.web.shapes import (
    Access,
    CallDetail,
    CallList,
    CallSummary,
    CallTokens,
    GapOut,
    LegOut,
    NewCall,
    ProofBrief,
    ProofOut,
    RecordingBrief,
    TrackOut,
    TranscriptBrief,
)

router = APIRouter(prefix="/api/calls", tags=["calls"])
Reader = Annotated[Session, Depends(door.may(Action.CALL_LIST))]
Opener = Annotated[Session, Depends(door.may(Action.CALL_OPEN))]
Taker = Annotated[Session, Depends(door.may(Action.CALL_TAKE))]

_STATES = {"live": (CallState.SETTING_UP, CallState.LIVE), "finished": (CallState.ENDED,)}


@router.get("")
async def listing(
    here: OneSite,
    session: Reader,
    state: Literal["live", "finished"],
    before: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = overview.NEWEST,
) -> CallList:
    """Calls that go on, or that are over, as far as the asker may know of them; newest first."""
    after = _cursor(before) if before else None
    own = demand(session.person.roles, Action.CALL_LIST) is Scope.OWN
    async with here.database.transaction() as conn:
        found = await overview.listing(
            conn, _STATES[state], limit=limit + 1, before=after, of=session.person.id if own else None
        )
    page = found[:limit]
    more = len(found) > limit
    return CallList(
        now=here.clock.utc_now(),
        calls=[CallSummary(**summary(call)) for call in page],
        next=_mark(page[-1]) if more else None,
    )


@router.post("", status_code=201)
async def create(here: OneSite, session: Taker, asked: NewCall) -> CallTokens:
    """A new call: its id, and a token for each leg to join it with."""
    call_id = new_id()
    now = here.clock.utc_now()
    async with here.database.transaction() as conn:
        await calls.create(conn, call_id, asked.profile, at=now, created_by=session.person.id)
        await queue.place(conn, call_id, session.person.id, at=now)

    def token(leg: Leg) -> str:
        return tokens.issue(
            here.token_key,
            now,
            call=str(call_id),
            leg=leg,
            profile=asked.profile,
            subject=str(session.person.id),
        )

    return CallTokens(
        call_id=call_id,
        media_url=media_url(here.settings),
        caller_token=token(Leg.CALLER),
        operator_token=token(Leg.OPERATOR),
    )


@router.get("/{call_id}")
async def detail(here: OneSite, session: Reader, call_id: CallId) -> CallDetail:
    """What is known of a call without hearing or reading it."""
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.CALL_LIST, call_id)
        found = await overview.get(conn, call_id)
        if found is None:
            raise NotFound
        call = await calls.get(conn, call_id)
        legs = await calls.legs(conn, call_id)
        proof = await proofs.get(conn, call_id)
        recording = await recordings.of_call(conn, call_id)
        tracks = await recordings.tracks(conn, recording.id) if recording else []
        opened = await reasons.reason_for(conn, session, call_id)
        knows_case = session.person.may(Action.CASE_READ)
        before = await reasons.last_for_case(conn, session, call_id) if knows_case else None
    fields = summary(found)
    fields["proof"] = proof and ProofOut(
        strokes=proof.strokes,
        level_before_db=proof.level_before_db,
        level_after_db=proof.level_after_db,
        audible_before_pct=proof.audible_before_pct,
        audible_after_pct=proof.audible_after_pct,
        degraded=proof.degraded,
        blocks=proof.blocks,
        blocks_passed=proof.blocks_passed,
        model=proof.model,
        model_sha256=proof.model_sha256,
        latency_samples=proof.latency_samples,
    )
    return CallDetail(
        **fields,
        now=here.clock.utc_now(),
        node=call.node,
        cause=call.cause,
        legs=[
            LegOut(
                leg=Leg(leg.leg),
                transport=leg.transport,
                codec=leg.codec,
                joined_at=leg.joined_at,
                left_at=leg.left_at,
                cause=leg.cause,
            )
            for leg in legs
        ],
        tracks=[
            TrackOut(
                name=track.name,
                rate=track.rate,
                samples=track.samples,
                gaps=[
                    GapOut(start=gap["start"], length=gap["length"], cause=gap["cause"]) for gap in track.gaps
                ],
            )
            for track in tracks
        ],
        opened=opened,
        reason_before=before,
    )


@router.post("/{call_id}/access", status_code=204)
async def open_call(here: OneSite, session: Opener, call_id: CallId, asked: Access) -> None:
    """Open a call for this session, for a reason that is kept in the access log."""
    async with here.database.transaction() as conn:
        try:
            await reasons.open_call(conn, session, call_id, asked.reason, at=here.clock.utc_now())
        except UsageError:
            raise Problem("reason_too_short") from None


def summary(call: Overview) -> dict[str, Any]:
    """The fields of a `CallSummary`."""
    return {
        "id": call.id,
        "profile": call.profile,
        "state": call.state,
        "demo": call.demo,
        "created_at": call.created_at,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "length_ms": call.length_ms,
        "degraded": call.degraded,
        "recording": call.recording_state
        and RecordingBrief(state=RecordingState(call.recording_state), outcome=call.recording_outcome),
        "transcript": call.transcript_state
        and TranscriptBrief(
            state=TranscriptState(call.transcript_state),
            progress=call.transcript_progress or 0.0,
            expected_at=call.transcript_expected_at,
        ),
        "proof": None
        if call.strokes is None
        else ProofBrief(
            strokes=call.strokes,
            level_before_db=call.level_before_db,
            level_after_db=call.level_after_db,
            audible_before_pct=call.audible_before_pct,
            audible_after_pct=call.audible_after_pct,
            degraded=bool(call.proof_degraded),
        ),
    }


def _mark(call: Overview) -> str:
    # Microseconds, as the database has them: a page must go on exactly where the last one ended.
    text = f"{call.created_at.isoformat()} {call.id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _cursor(mark: str) -> tuple[datetime, UUID]:
    try:
        at, call_id = base64.urlsafe_b64decode(mark.encode()).decode().split(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError
        return moment, UUID(call_id)
    except ValueError:
        raise Problem("invalid") from None
