"""What went wrong, told to a person: problem+json (RFC 9457) in the reader's language, with what to do.

Each problem has a `code` for the program and texts in the catalogues: `web.problem.<code>.title` and `.hint`.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from callsvc import logs
from callsvc.access.attempts import TooManyAttempts
from callsvc.access.lock import Locked
from callsvc.access.passkey_questions import NotAsked
from callsvc.access.passkeys import NotAccepted, OtherOrigin
from callsvc.access.passwords import WeakPassword
from callsvc.access.second_factor import CodeRequired, PasskeyRequired, WrongCode
from callsvc.access.sessions import NotSignedIn, WrongPassword
from callsvc.errors import (
    AccessDenied,
    CallsvcError,
    Conflict,
    MissingPart,
    NotFound,
    ReasonRequired,
    Unavailable,
    UsageError,
    VerificationFailed,
)
from callsvc.locale import LANGUAGES, text

STATUS: Final[Mapping[str, int]] = {
    "invalid": 422,
    "signed_out": 401,
    "wrong_password": 401,
    "wrong_present_password": 403,
    "code_required": 401,
    "wrong_code": 401,
    "second_factor_on": 409,
    "second_factor_required": 403,
    "last_factor": 409,
    "passkey_required": 401,
    "passkey_not_accepted": 403,
    "passkey_other_address": 403,
    "passkey_not_asked": 403,
    "passkeys_unavailable": 409,
    "too_many_attempts": 429,
    "password_change_required": 403,
    "locked": 423,
    "weak_password": 422,
    "not_allowed": 403,
    "reason_required": 403,
    "reason_too_short": 422,
    "foreign_origin": 403,
    "unknown_host": 421,
    "too_large": 413,
    "missing": 404,
    "bad_id": 404,
    "method": 405,
    "conflict": 409,
    "name_taken": 409,
    "bad_user": 422,
    "last_administrator": 409,
    "own_account": 409,
    "external_account": 409,
    "no_passwords_here": 403,
    "demo_running": 409,
    "one_call_at_a_time": 409,
    "call_taken": 409,
    "call_over": 410,
    "notes_changed": 409,
    "notes_closed": 409,
    "no_case_here": 409,
    "basis_unanswered": 422,
    "cannot_take_over": 422,
    "review_taken": 409,
    "own_call": 409,
    "review_unanswered": 409,
    "review_finished": 409,
    "too_many_watching": 503,
    "no_sound": 404,
    "no_transcript": 404,
    "edited_meanwhile": 409,
    "model_damaged": 409,
    "model_language": 409,
    "nothing_to_undo": 409,
    "bad_choice": 422,
    "nothing_sought": 422,
    "damaged": 500,
    "part_missing": 503,
    "away": 503,
    "bad_range": 416,
    "fault": 500,
}
# The first that fits; a class stands before the class it derives from.
_BY_CLASS: Final[tuple[tuple[type[CallsvcError], str], ...]] = (
    (NotSignedIn, "signed_out"),
    (WrongPassword, "wrong_password"),
    (CodeRequired, "code_required"),
    (WrongCode, "wrong_code"),
    (PasskeyRequired, "passkey_required"),
    (OtherOrigin, "passkey_other_address"),
    (NotAccepted, "passkey_not_accepted"),
    (NotAsked, "passkey_not_asked"),
    (TooManyAttempts, "too_many_attempts"),
    (Locked, "locked"),
    (WeakPassword, "weak_password"),
    (ReasonRequired, "reason_required"),
    (AccessDenied, "not_allowed"),
    (NotFound, "missing"),
    (Conflict, "conflict"),
    (Unavailable, "away"),
    (VerificationFailed, "damaged"),
    (MissingPart, "part_missing"),
    (UsageError, "invalid"),
)
_BY_STATUS: Final = {404: "missing", 405: "method", 413: "too_large", 416: "bad_range"}

_log = logs.get("web")


class Problem(CallsvcError):
    """Something that a route says went wrong, by its code."""

    def __init__(self, code: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__("The request ended with the problem {code}.", code=code)
        self.code = code
        self.headers = dict(headers or {})


@contextmanager
def telling(codes: Mapping[type[CallsvcError], str]) -> Iterator[None]:
    """Tell errors of these classes as these problems; a class stands before the class it derives from."""
    try:
        yield
    except tuple(codes) as error:
        raise Problem(next(code for kind, code in codes.items() if isinstance(error, kind))) from None


def language(accepted: str) -> str:
    """The first language of an Accept-Language header that we speak; Swedish when there is none."""
    for wish in accepted.lower().split(","):
        name = wish.split(";")[0].strip()[:2]
        if name in LANGUAGES:
            return name
    return LANGUAGES[0]


def code_of(error: CallsvcError) -> str:
    if isinstance(error, Problem):
        return error.code
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), "fault")


def answer(
    code: str, accepted: str, *, headers: Mapping[str, str] | None = None, field: str | None = None
) -> Response:
    """The response that tells of a problem."""
    lang = language(accepted)
    body = {
        "type": f"urn:callsvc:problem:{code}",
        "status": STATUS[code],
        "code": code,
        "title": text(f"web.problem.{code}.title", lang),
        "hint": text(f"web.problem.{code}.hint", lang),
    }
    if field is not None:
        body["field"] = field
    return JSONResponse(
        body, STATUS[code], headers=dict(headers or {}), media_type="application/problem+json"
    )


def install(app: FastAPI) -> None:
    """Have every error of the app come out as a problem."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, CallsvcError)
        code = code_of(error)
        if STATUS[code] >= 500:
            _log.warning("request_failed", code=code, error=type(error).__name__)
        headers = error.headers if isinstance(error, Problem) else {}
        if isinstance(error, TooManyAttempts):
            headers = {"Retry-After": str(error.retry_after_s)}
        return answer(code, _accepted(request), headers=headers)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = _BY_STATUS.get(error.status_code, "invalid" if error.status_code < 500 else "fault")
        return answer(code, _accepted(request), headers=error.headers)

    async def unreadable(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # Where it was wrong, never what was sent: that may be a password.
        where = [str(part) for part in error.errors()[0]["loc"]]
        if where[0] == "path":
            return answer("bad_id", _accepted(request))
        return answer("invalid", _accepted(request), field=where[-1])

    async def fault(request: Request, error: Exception) -> Response:
        # Where it broke, never with what: a message or a local variable may hold somebody's words.
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.name}:{frame.lineno}" for frame in frames[-4:]]
        _log.error("request_broke", error=type(error).__name__, where=where)
        return answer("fault", _accepted(request))

    async def unstorable(request: Request, error: Exception) -> Response:
        # A number or a letter that the database has no room for, and that no shape had told of.
        _log.warning("request_unstorable", error=type(error).__name__)
        return answer("invalid", _accepted(request))

    app.add_exception_handler(CallsvcError, ours)
    app.add_exception_handler(psycopg.DataError, unstorable)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(Exception, fault)


def _accepted(request: Request) -> str:
    return request.headers.get("accept-language", "")
