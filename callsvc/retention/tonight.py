"""What the rules would do in a night: every call that is over, judged in one question to the database.

    unruled   no rule speaks of it: it is kept
    held      somebody has ordered that it be kept, or asked for that and has no answer; that goes before every rule
    waiting   its rule is not due, for the time is not out or its case is open
    due       would be deleted, with all that is derived from it: recordings, texts, copies, disclosures, notes

Nothing is deleted, and nothing of a call's content or of its people is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from callsvc.retention.rules import Rule, Rules
from callsvc.store import Connection

Outcome = Literal["unruled", "held", "waiting", "due"]
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Judged:
    """A call, and what would become of it. `follow`: what is derived from it and goes where it goes.

    `last_day` is the last that its rule keeps it; None while no time runs.
    """

    id: UUID
    profile: str
    demo: bool
    started_at: datetime
    length_ms: int | None
    case: str
    rule: str | None
    outcome: Outcome
    last_day: date | None
    follow: dict[str, int]


@dataclass(frozen=True, slots=True)
class Night:
    """All counts, by rule and outcome, and some of the calls that were asked for."""

    counts: dict[tuple[str | None, Outcome], int]
    calls: list[Judged]


# Each call gets the place of the first rule that fits it; the times that a rule asks for come as a cutoff of that rule, so
# that no arithmetic of days is left to the database.
_JUDGED: Final = """
    with facts as (
        select c.id, c.profile, c.demo, coalesce(c.started_at, c.created_at) as since, c.length_ms, w.labels,
               k.closed_on,
               case when w.case_number is null then 'none' when k.closed_on is null then 'open' else 'closed' end as file,
               hc.call_id is not null or hf.case_number is not null as held
          from calls c
          left join wrap_ups w on w.call_id = c.id
          left join case_closings k on k.case_number = w.case_number
          left join (select call_id from holds where lifted_at is null
                      union select call_id from hold_requests where answered_at is null) hc on hc.call_id = c.id
          left join (select distinct case_number from holds where lifted_at is null) hf on hf.case_number = w.case_number
         where c.state = 'ended'
    ), ruled as (
        select f.*, {fits} as rule from facts f
    ), judged as materialized (
        select r.*, case when held then 'held' when rule is null then 'unruled' when {out} then 'due' else 'waiting' end
                    as outcome
          from ruled r
    )
    select (select coalesce(jsonb_agg(jsonb_build_array(rule, outcome, n)), '[]') from
               (select rule, outcome, count(*) as n from judged group by rule, outcome) tally) as counts,
           (select coalesce(jsonb_agg(to_jsonb(one) order by one.since, one.id), '[]') from
               (select j.id, j.profile, j.demo, j.since, j.length_ms, j.file, j.rule, j.outcome, j.closed_on,
                       (select count(*) from recordings x where x.call_id = j.id) as recordings,
                       (select count(*) from transcripts x where x.call_id = j.id) as transcripts,
                       (select count(*) from redactions x where x.call_id = j.id) as copies,
                       (select count(*) from disclosures x where x.call_id = j.id) as disclosures
                  from (select * from judged where outcome = %(outcome)s and (%(rule)s::int is null or rule = %(rule)s)
                         order by since, id limit %(limit)s offset %(offset)s) j) one) as page
"""
_FOLLOW: Final = ("recordings", "transcripts", "copies", "disclosures")


async def judge(
    conn: Connection,
    rules: Rules,
    night: date,
    *,
    outcome: Outcome = "due",
    rule: str | None = None,
    limit: int = PAGE,
    offset: int = 0,
) -> Night:
    """What would become of every call in the night that the day `night` begins with; of the calls with this outcome,
    oldest first, as many as asked for."""
    names = [one.id for one in rules.rule]
    values: dict[str, Any] = {
        "outcome": outcome,
        "rule": names.index(rule) if rule in names else None if rule is None else -1,
        "limit": limit,
        "offset": offset,
    }
    fits, out = [], []
    for n, one in enumerate(rules.rule):
        fits.append(_fits(n, one, values))
        out.append(_out(n, one, rules, night, values))
    statement = _JUDGED.format(fits=f"case {' '.join(fits)} end", out=f"case rule {' '.join(out)} end")
    # The plan would be made for each row's share of a hundred thousand; compiling it takes longer than running it.
    await conn.execute("set local jit = off")
    cursor = await conn.execute(statement, values)
    row = await cursor.fetchone()
    assert row is not None
    named: list[str | None] = [*names, None]
    counts = {(named[-1 if n is None else n], what): int(many) for n, what, many in row["counts"]}
    return Night(counts, [_judged(told, rules) for told in row["page"]])


def _fits(n: int, rule: Rule, values: dict[str, Any]) -> str:
    values |= {
        f"demo{n}": rule.demonstrations,
        f"profiles{n}": [str(one) for one in rule.profiles],
        f"labels{n}": list(rule.labels),
        f"cases{n}": list(rule.cases),
    }
    labelled = f" and f.labels && %(labels{n})s::text[]" if rule.labels else ""
    return (
        f"when f.demo = %(demo{n})s and f.profile = any(%(profiles{n})s) and f.file = any(%(cases{n})s){labelled}"
        f" then {n}"
    )


def _out(n: int, rule: Rule, rules: Rules, night: date, values: dict[str, Any]) -> str:
    cutoff = rule.cutoff(night)
    if rule.after == "case_closed":
        values[f"cutoff{n}"] = cutoff
        return f"when {n} then coalesce(closed_on < %(cutoff{n})s::date, false)"
    values[f"cutoff{n}"] = rules.midnight(cutoff)
    return f"when {n} then since < %(cutoff{n})s::timestamptz"


def _judged(told: dict[str, Any], rules: Rules) -> Judged:
    rule = None if told["rule"] is None else rules.rule[told["rule"]]
    since = datetime.fromisoformat(told["since"])
    return Judged(
        id=UUID(told["id"]),
        profile=told["profile"],
        demo=told["demo"],
        started_at=since,
        length_ms=told["length_ms"],
        case=told["file"],
        rule=rule and rule.id,
        outcome=told["outcome"],
        last_day=_last_day(rule, rules.day(since), told["closed_on"]),
        follow={name: told[name] for name in _FOLLOW},
    )


def _last_day(rule: Rule | None, began: date, closed_on: str | None) -> date | None:
    if rule is None:
        return None
    if rule.after == "call":
        return rule.last_day(began)
    return rule.last_day(date.fromisoformat(closed_on)) if closed_on else None
