"""Who may do what: the one table, rights.toml. Everything that asks goes through `demand`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType

from callsvc.errors import AccessDenied
from callsvc.types import Role


class Action(StrEnum):
    """What a person can ask of the service."""

    CALL_TAKE = "call.take"  # place or answer a call, and get the token of its leg
    CALL_LIST = "call.list"  # see that calls exist: times, states, figures, never what was said
    CALL_NOTE = "call.note"  # write notes beside a call, tick its checklists, write it up
    CALL_OPEN = "call.open"  # give a reason and so open a call for reading
    AUDIO_READ = "audio.read"
    RAW_READ = "raw.read"  # hear the operator's microphone as it was: typed text can be guessed from its keys
    TRANSCRIPT_READ = "transcript.read"
    TRANSCRIPT_ASK = "transcript.ask"  # have a call transcribed ahead of the others
    TRANSCRIPT_EDIT = "transcript.edit"  # correct what the machine heard; write a summary
    TRANSCRIPT_REDACT = "transcript.redact"  # make a copy without chosen words
    TRANSCRIPT_EXPORT = "transcript.export"  # get the transcript as a file
    CAPTIONS_READ = "captions.read"  # read along while a call goes on
    NOTES_READ = "notes.read"  # what the operator noted, ticked and wrote up
    DISCLOSURE_DECIDE = "disclosure.decide"  # hand out to somebody outside, or refuse to
    CASE_READ = "case.read"  # which calls belong to a case
    SEARCH_ALL = "search.all"  # search what was said in every call, for a purpose that is written down
    REVIEW_WORK = (
        "review.work"  # draw up a worklist of calls, hear them before and after, answer the scorecard
    )
    REVIEW_FIGURES = "review.figures"  # answers over time, by line alone
    REVIEW_ASK = "review.ask"  # have a call reviewed
    HANDOVER_GIVE = "handover.give"  # hand a call to a colleague by name, at the place one has come to
    HANDOVER_TAKE = "handover.take"  # see what was handed to oneself
    REVIEW_ANSWER = "review.answer"  # read what was said of a call of one's own, and answer it
    DEMO_PLACE = "demo.place"
    TRAIL_READ = "trail.read"  # who looked at what, and why
    USERS_ADMIN = "users.admin"
    RULES_EDIT = "rules.edit"  # line profiles, checklists, legal bases, scorecard
    RETENTION_READ = "retention.read"  # what would be deleted tonight, by which rule, and what is held
    HOLD_ASK = (
        "hold.ask"  # ask that a call be kept from deletion; it is until somebody who decides has answered
    )
    RETENTION_DECIDE = "retention.decide"  # hold a call or a case, lift a hold, say when a case was closed
    MODELS_CHOOSE = "models.choose"  # which model writes transcripts or captions from now on
    HEALTH_READ = "health.read"  # health of the parts, models, what is degraded


class Scope(StrEnum):
    """With which calls something may be done."""

    OWN = "own"
    ALL = "all"


@cache
def table() -> Mapping[Role, Mapping[Action, Scope]]:
    """The whole table. What a role does not have is not in it."""
    told = tomllib.loads(resources.files(__package__).joinpath("rights.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            Role(role): MappingProxyType({Action(name): Scope(scope) for name, scope in cells.items()})
            for role, cells in told.items()
        }
    )


def scope(roles: Iterable[Role], action: Action) -> Scope | None:
    """The widest scope that one of the roles gives; None when none allows it."""
    found = {table()[role].get(action) for role in roles}
    return Scope.ALL if Scope.ALL in found else Scope.OWN if Scope.OWN in found else None


def actions(roles: Iterable[Role]) -> frozenset[Action]:
    """All that somebody with these roles may do, with whichever calls."""
    return frozenset().union(*(table()[role] for role in roles))


def allowed(roles: Iterable[Role], action: Action) -> bool:
    """Whether it may be done at all, be it with one's own calls alone."""
    return scope(roles, action) is not None


def demand(roles: Iterable[Role], action: Action) -> Scope:
    """With which calls it may be done. Raises `AccessDenied` unless one of the roles allows it."""
    found = scope(roles, action)
    if found is None:
        raise AccessDenied(hint="Ask an administrator for the role that this needs.")
    return found
