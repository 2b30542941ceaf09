"""What goes over the wire for quality review and for the care of listeners. No shape here names a person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from callsvc.review.exposure import Kind
from callsvc.types import Leg, Profile
from callsvc.web.seen import SEEN
from callsvc.web.shapes import Shape
from callsvc.web.shapes_notes import AtMs, ChoiceOut, Word

Id = Annotated[str, Field(min_length=1, max_length=40)]


# The worklist


class ReviewBrief(Shape):
    """A call to be reviewed. `rule` is the one that drew it, or `chosen`. `mine`: the asker has it, or had it."""

    id: UUID
    call_id: UUID
    rule: str
    profile: Profile
    started_at: datetime | None
    length_ms: int | None
    degraded: bool
    drawn_at: datetime
    seats: int
    taken: int
    done: int
    mine: bool
    mine_done: bool
    place_ms: int
    handed_over: str


class RuleOut(ChoiceOut):
    share_pct: float


class ReviewList(Shape):
    """The newest first; `rules` are those in force, in the order in which they draw."""

    reviews: list[ReviewBrief]
    rules: list[RuleOut]
    rules_version: str


class NewReview(Shape):
    """A call that a reviewer asks for."""

    call_id: UUID


class GivingBack(Shape):
    """Where the next begins, and a word for them; `to` is whom it is meant for, where that is somebody."""

    place_ms: Annotated[int, Field(ge=0, lt=1 << 40)]
    word: Annotated[str, SEEN, Field(max_length=500)]
    to: UUID | None = None


# The scorecard


class QuestionOut(ChoiceOut):
    """`choices` in the order of their number keys."""

    source: str
    choices: list[ChoiceOut]


class AnswerOut(Shape):
    question: str
    choice: str
    at_ms: int | None
    note: str


class AnswerToGive(Shape):
    choice: Word
    at_ms: AtMs
    note: Annotated[str, SEEN, Field(max_length=1000)]


class AssessmentOut(Shape):
    """A scorecard as it was asked, with the answers so far."""

    id: UUID
    card: ChoiceOut
    version: str
    questions: list[QuestionOut]
    answers: list[AnswerOut]
    comment: str
    done_at: datetime | None
    reply: str
    replied_at: datetime | None


class AgreementOut(Shape):
    """`kappa` is the agreement beyond chance (Cohen); null where chance alone would agree."""

    asked: int
    same: int
    kappa: float | None


class Compared(Shape):
    """What the other reviewer answered: told when both are done."""

    other: AssessmentOut
    agreement: AgreementOut


class ReviewOut(Shape):
    """A review as one of its reviewers sees it. `mine` is null until one has it."""

    review: ReviewBrief
    mine: AssessmentOut | None
    compared: Compared | None


class Conclusion(Shape):
    comment: Annotated[str, SEEN, Field(max_length=4000)]


# The operator's side


class ToldBrief(Shape):
    call_id: UUID
    profile: Profile
    done_at: datetime
    replied: bool


class ToldList(Shape):
    """The asker's own calls that were reviewed, the latest first."""

    calls: list[ToldBrief]


class ToldOut(Shape):
    """Null while the call has not been reviewed."""

    assessment: AssessmentOut | None


class Reply(Shape):
    words: Annotated[str, SEEN, Field(max_length=4000)]


# The replay


class StrokeOut(Shape):
    """A keystroke: its loudest 8 ms at the microphone and at the caller, dBFS. Under speech it cannot be judged."""

    at_ms: int
    before_db: float
    after_db: float
    audible_before: bool
    audible_after: bool
    spoken: bool


class Strokes(Shape):
    """Those of one window of the call. `kept` is false where the raw microphone was not kept: then none can be found."""

    kept: bool
    from_ms: int
    to_ms: int
    strokes: list[StrokeOut]


class CaptionSeen(Shape):
    leg: Leg
    start_ms: int
    end_ms: int
    text: str


class Happening(Shape):
    """Something that was done or that happened on the call's clock; `detail` holds words and figures of the service's."""

    at_ms: int
    what: str
    detail: dict[str, str | int | float | bool | None]


class ConnectionSeen(Shape):
    """The seconds up to `at_ms` as the leg's own end measured them: packets that came and that did not, sound made up
    for them, how unevenly they came, how long they were held back; the way to the node and back, and how what was sent
    arrived, null where nothing had told it yet."""

    leg: Leg
    at_ms: int
    received: int
    lost: int
    made_up_ms: int
    jitter_ms: int
    buffer_ms: int
    trip_ms: int | None
    sent_lost_pct: int | None
    sent_jitter_ms: int | None


class Replay(Shape):
    """What there is to look at beside the sound. `keep_raw` is the setting in force: never, demo or always."""

    raw_kept: bool
    keep_raw: Literal["never", "demo", "always"]
    window_ms: int
    captions: list[CaptionSeen]
    happenings: list[Happening]
    connection: list[ConnectionSeen]


# Figures


class CellOut(Shape):
    """Mean points of a question on a line in a month, 0 to 1. Null, both, where there are too few calls to be told."""

    month: date
    profile: Profile
    question: str
    calls: int | None
    mean: float | None


class FiguresOut(Shape):
    """By line and month. `least` is the number of calls from which a cell is told."""

    card: ChoiceOut
    questions: list[ChoiceOut]
    cells: list[CellOut]
    least: int
    agreement: AgreementOut
    compared: int


# Care


class HardStretch(Shape):
    """A hint, from level and pitch alone. `leg` is null for a silence of both."""

    start_ms: int
    end_ms: int
    kind: Kind
    leg: Leg | None


class Exposure(Shape):
    stretches: list[HardStretch]


class CareChoices(Shape):
    """`sound_off`: recordings open as text. `softened`: sound begins softened. `marked`: what may be hard to hear is
    marked. `counted`: listening time is counted, in the browser alone."""

    sound_off: bool
    softened: bool
    marked: bool
    counted: bool
