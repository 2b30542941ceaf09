"""What can be asked of the API, by the action of the table of rights that it belongs to. `{call}` stands for a call's id."""

from __future__ import annotations

from uuid import uuid4

from callsvc.access.rights import Action

Question = tuple[str, str, dict[str, object] | None]

NOBODY = str(uuid4())
# One question or more for each action; what an allowed one is answered with, here where there is little.
QUESTIONS: dict[Action, list[Question]] = {
    Action.CALL_TAKE: [
        ("GET", "/api/shift", None),
        ("PUT", "/api/shift", {"available": True}),
        ("GET", "/api/announcements", None),
        ("POST", "/api/calls/{call}/answer", None),
        ("POST", "/api/calls", {"profile": "report"}),
    ],
    Action.CALL_LIST: [
        ("GET", "/api/calls?state=live", None),
        ("GET", "/api/calls?state=finished", None),
        ("GET", "/api/calls/{call}", None),
        ("GET", "/api/calls/{call}/transcript/state", None),
        ("GET", "/api/guides", None),
    ],
    Action.CALL_NOTE: [
        ("PUT", "/api/calls/{call}/notes", {"revision": 0, "lines": []}),
        (
            "PUT",
            "/api/calls/{call}/ticks",
            {"checklist": "injured", "item": "safe", "ticked": True, "at_ms": None},
        ),
        (
            "POST",
            "/api/calls/{call}/consents",
            {"who": "x", "what": "recording", "given": True, "at_ms": None},
        ),
        ("POST", f"/api/calls/{{call}}/consents/{NOBODY}/withdrawal", None),
        ("PUT", "/api/calls/{call}/captions/caller/0", {"word": 0, "heard": "ja", "meant": "nej"}),
        (
            "PUT",
            "/api/calls/{call}/wrap-up",
            {"case_number": "A1-26", "labels": [], "told": [], "hand_over": "", "state": "done"},
        ),
    ],
    Action.CALL_OPEN: [("POST", "/api/calls/{call}/access", {"reason": "Utredning"})],
    Action.AUDIO_READ: [
        ("GET", "/api/calls/{call}/audio/caller.rx.wav", None),
        ("GET", "/api/calls/{call}/playback.wav", None),
        ("GET", "/api/calls/{call}/peaks", None),
        ("GET", "/api/calls/{call}/exposure", None),
        ("GET", "/api/calls/{call}/lanes", None),
        ("GET", "/api/calls/{call}/typing", None),
    ],
    Action.RAW_READ: [("GET", "/api/calls/{call}/audio/operator.rx.wav", None)],
    Action.TRANSCRIPT_READ: [
        ("GET", "/api/calls/{call}/transcript", None),
        ("GET", "/api/calls/{call}/transcript/edits", None),
        ("GET", "/api/calls/{call}/redactions", None),
        ("GET", f"/api/calls/{{call}}/redactions/{NOBODY}/playback.wav", None),
        ("GET", "/api/calls/{call}/summary", None),
        ("GET", "/api/search?q=hot&call={call}", None),
    ],
    Action.CAPTIONS_READ: [("GET", "/api/calls/{call}/captions", None)],
    Action.TRANSCRIPT_ASK: [("POST", "/api/calls/{call}/transcript/request", None)],
    Action.TRANSCRIPT_EDIT: [
        ("PUT", "/api/calls/{call}/transcript/utterances/0", {"version": 0, "text": "ja"}),
        ("POST", "/api/calls/{call}/transcript/utterances/0/undo", {"version": 0}),
        ("PUT", "/api/calls/{call}/summary", {"version": 0, "body": "Kort."}),
    ],
    Action.TRANSCRIPT_REDACT: [
        (
            "POST",
            "/api/calls/{call}/redactions",
            {"title": "x", "chosen": [{"n": 0, "version": 0, "first": 0, "last": 0, "reason": "x"}]},
        )
    ],
    Action.TRANSCRIPT_EXPORT: [("GET", "/api/calls/{call}/transcript/export?form=txt", None)],
    Action.NOTES_READ: [("GET", "/api/calls/{call}/notes", None)],
    Action.CASE_READ: [
        ("GET", "/api/cases", None),
        ("GET", "/api/cases/A1-26", None),
        ("POST", "/api/cases/A1-26/access", {"reason": "Utredning"}),
    ],
    Action.SEARCH_ALL: [("POST", "/api/search/calls", {"text": "hot", "purpose": "Utredning"})],
    Action.DISCLOSURE_DECIDE: [
        ("GET", "/api/legal-bases", None),
        ("GET", "/api/calls/{call}/leaving", None),
        ("GET", "/api/calls/{call}/disclosures", None),
        ("GET", f"/api/calls/{{call}}/disclosures/{NOBODY}/bundle", None),
        ("POST", f"/api/calls/{{call}}/disclosures/{NOBODY}/bundle", None),
        ("GET", f"/api/calls/{{call}}/disclosures/{NOBODY}/bundle.zip", None),
        (
            "POST",
            "/api/calls/{call}/disclosures",
            {
                "basis": "duty",
                "answers": {"rule": "socialtjänstlagen"},
                "recipient": "Socialtjänsten",
                "granted": False,
                "motive": "Behövs inte.",
                "copy_id": None,
            },
        ),
    ],
    Action.REVIEW_WORK: [
        ("GET", "/api/reviews", None),
        ("POST", "/api/reviews", {"call_id": "{call}"}),
        ("GET", f"/api/reviews/{NOBODY}", None),
        ("POST", f"/api/reviews/{NOBODY}/taking", None),
        ("POST", f"/api/reviews/{NOBODY}/giving-back", {"place_ms": 0, "word": ""}),
        ("POST", f"/api/reviews/{NOBODY}/pairing", None),
        ("PUT", f"/api/reviews/{NOBODY}/answers/room", {"choice": "fully", "at_ms": None, "note": ""}),
        ("POST", f"/api/reviews/{NOBODY}/conclusion", {"comment": ""}),
        ("GET", "/api/calls/{call}/replay", None),
        ("GET", "/api/calls/{call}/strokes", None),
        ("GET", "/api/calls/{call}/spectrogram/after.png", None),
    ],
    Action.REVIEW_ASK: [("POST", "/api/calls/{call}/review-request", None)],
    Action.HANDOVER_GIVE: [
        ("GET", "/api/calls/{call}/colleagues", None),
        ("POST", "/api/calls/{call}/hand-overs", {"to": NOBODY}),
    ],
    Action.HANDOVER_TAKE: [
        ("GET", "/api/hand-overs", None),
        ("POST", f"/api/hand-overs/{NOBODY}/taking", None),
    ],
    Action.REVIEW_FIGURES: [("GET", "/api/review-figures", None)],
    Action.REVIEW_ANSWER: [
        ("GET", "/api/own-reviews", None),
        ("GET", "/api/calls/{call}/assessment", None),
        ("PUT", "/api/calls/{call}/assessment/reply", {"words": "Tack."}),
    ],
    Action.DEMO_PLACE: [
        ("GET", "/api/demo-calls", None),
        ("GET", f"/api/demo-calls/{NOBODY}", None),
        ("POST", "/api/demo-calls", None),
        ("POST", "/api/demo-callers", None),
    ],
    Action.TRAIL_READ: [
        ("GET", "/api/access-events", None),
        ("GET", "/api/access-events/people", None),
        ("GET", "/api/access-events/export.csv", None),
        ("GET", "/api/access-events/chain", None),
    ],
    Action.USERS_ADMIN: [
        ("GET", "/api/users", None),
        ("POST", "/api/users", {"name": "new", "display_name": "New", "roles": []}),
        ("PATCH", f"/api/users/{NOBODY}", {"roles": []}),
        ("POST", f"/api/users/{NOBODY}/password", None),
        ("POST", f"/api/users/{NOBODY}/second-factor/removal", None),
    ],
    Action.RULES_EDIT: [
        ("GET", "/api/catalogues", None),
        ("GET", "/api/catalogues/guides", None),
        ("GET", "/api/catalogues/guides/versions/0/changes/0", None),
        ("POST", "/api/catalogues/guides/check", {"body": ""}),
        ("POST", "/api/catalogues/guides/changes", {"body": ""}),
        ("POST", "/api/catalogues/guides/merge", {"version": 0, "body": ""}),
        ("PUT", "/api/catalogues/guides", {"version": 0, "body": "", "why": "Prov"}),
        ("POST", "/api/catalogues/guides/undo", {"version": 0, "to": 9, "why": "Prov"}),
    ],
    Action.RETENTION_READ: [
        ("GET", "/api/retention", None),
        ("GET", "/api/retention/export.csv", None),
        ("GET", "/api/retention/holds", None),
    ],
    Action.HOLD_ASK: [
        ("GET", "/api/calls/{call}/hold", None),
        ("POST", "/api/calls/{call}/hold-requests", {"reason": "Åtal prövas"}),
    ],
    Action.RETENTION_DECIDE: [
        ("POST", f"/api/retention/hold-requests/{NOBODY}/answer", {"granted": False, "words": "Behövs inte"}),
        ("POST", "/api/retention/holds", {"call_id": "{call}", "case_number": None, "reason": "Åtal prövas"}),
        ("POST", f"/api/retention/holds/{NOBODY}/lifting", {"reason": "Avgjort"}),
        ("PUT", "/api/retention/closings/A1-26", {"closed_on": "2026-01-01"}),
        ("POST", "/api/retention/closings/B1-26/reopening", None),
    ],
    Action.MODELS_CHOOSE: [("PUT", "/api/models/uses/live", {"name": "no-such-model"})],
    Action.HEALTH_READ: [
        ("GET", "/api/health", None),
        ("GET", "/api/models", None),
        ("POST", "/api/models/no-such-model/check", None),
    ],
}
# For everybody who is signed in, or not even that.
OPEN = {
    "/api/me/care",
    "/api/sign-in", "/api/sign-in/begin", "/api/sign-in/return", "/api/login", "/api/logout", "/api/me", "/api/me/password", "/api/events", "/api/me/sessions",
    "/api/me/sessions/{session_id}/end", "/api/me/second-factor", "/api/me/second-factor/confirmation",
    "/api/me/second-factor/removal", "/api/me/activity", "/api/me/lock", "/api/me/unlock",
    "/api/me/passkeys", "/api/me/passkeys/question", "/api/me/passkeys/{passkey_id}/removal", "/api/me/unlock/passkey",
    "/api/me/sessions/end", "/api/me/unlock/passkey/question", "/api/sign-in/passkey", "/api/sign-in/passkey/question",
}  # fmt: skip
