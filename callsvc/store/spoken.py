"""Search in what was said, inside the calls that are given: never further.

Words are found by their stem and as the beginning of a compound (`våldet` finds *våld* and *våldsam*); å, ä and ö are
letters of their own; the case of letters does not matter; no word is too common to be sought. The text in force is
searched, and below it the machine's, which a correction may have replaced.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from callsvc.store.database import Connection

OPEN, CLOSE = "\x02", "\x03"
"""Stand around the words that were found in `Hit.marked`."""
MOST_WORDS = 16


@dataclass(frozen=True, slots=True)
class Hit:
    """An utterance that holds what was sought. `replaced`: only in the machine's text, below a correction."""

    call_id: UUID
    case_number: str | None
    at: datetime | None
    transcript_id: UUID
    n: int
    leg: str
    start_ms: int
    end_ms: int
    words: list[Any]
    corrected: bool
    replaced: bool
    marked: str


def query(text: str) -> str:
    """What a person typed, as the database asks it: words, "a phrase in quotes", -word that must not be there.

    Empty when nothing is sought.
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    for minus, phrase, word in re.findall(r'(-?)(?:"([^"]*)"|([\w]+))', text)[:MOST_WORDS]:
        words = re.findall(r"\w+", phrase or word)
        if not words:
            continue
        found = " <-> ".join(words) if phrase else _forms(words[0])
        (unwanted if minus else wanted).append(f"({found})")
    if not wanted:
        return ""
    return " & ".join([*wanted, *(f"!{one}" for one in unwanted)])


def _forms(word: str) -> str:
    """The word's stem or beginning; and without the endings that the stemmer leaves on: *våldet*, *kvinnans*."""
    forms = [f"{word}:*"]
    if ending := re.fullmatch(r"(\w{2,}?)(ets?|(?<=\w{4})ans?)", word, re.IGNORECASE):
        base = ending[1]
        forms.append(f"{base}:*" if len(base) > 2 else base)
    return " | ".join(forms)


_SEARCH = """
    with asked as materialized (select to_tsquery('public.spoken_swedish', %(query)s) as q)
    select t.call_id, w.case_number, coalesce(c.started_at, c.created_at) as at, u.transcript_id, u.n, u.leg, u.start_ms, u.end_ms,
           u.words, u.corrected is not null as corrected,
           u.corrected is not null and not u.search_corrected @@ q as replaced,
           ts_headline('public.spoken_swedish',
               case when u.corrected is not null and u.search_corrected @@ q then u.corrected else u.text end, q,
               'HighlightAll=true, StartSel=' || %(open)s || ', StopSel=' || %(close)s) as marked
      from asked, transcripts t
      join calls c on c.id = t.call_id
      left join wrap_ups w on w.call_id = t.call_id
      join utterances u on u.transcript_id = t.id
     where t.call_id = any(%(calls)s) and t.state = 'done'
       and t.created_at = (select max(created_at) from transcripts where call_id = t.call_id and state = 'done')
       and u.kind <> 'crosstalk'
       and (u.search @@ q or u.corrected is not null and u.search_corrected @@ q)
     order by replaced, at, t.call_id, u.start_ms, u.n
     limit %(limit)s
"""


async def search(
    conn: Connection, calls: Collection[UUID], text: str, *, limit: int = 100, offset: int = 0
) -> list[Hit]:
    """Utterances in these calls, call by call in the order of time; those in a replaced text last."""
    asked = query(text)
    if not asked or not calls:
        return []
    async with conn.cursor(row_factory=class_row(Hit)) as cursor:
        await cursor.execute(
            _SEARCH + " offset %(offset)s",
            {
                "query": asked,
                "calls": list(calls),
                "open": OPEN,
                "close": CLOSE,
                "limit": limit,
                "offset": offset,
            },
        )
        return await cursor.fetchall()
