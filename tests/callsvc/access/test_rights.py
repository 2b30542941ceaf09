"""The table of rights says what each role may do; this is the same table, written down a second time on purpose."""

from __future__ import annotations

import pytest

from callsvc.access.rights import Action, Scope, actions, demand, scope, table
from callsvc.errors import AccessDenied
from callsvc.types import Role

pytestmark = pytest.mark.call

TABLE = """
                   operator investigator qa  admin
call.take          all      -            -   -
call.list          own      all          all all
call.note          own      -            -   -
call.open          -        all          all -
audio.read         -        all          all -
raw.read           -        -            all -
transcript.read    -        all          all -
transcript.ask     -        all          all -
transcript.edit    -        all          -   -
transcript.redact  -        all          -   -
transcript.export  -        all          -   -
captions.read      own      -            all -
notes.read         -        all          all -
case.read          -        all          -   -
search.all         -        all          -   -
disclosure.decide  -        all          -   -
review.work        -        -            all -
review.figures     -        -            all -
review.answer      own      -            -   -
review.ask         own      -            all -
handover.give      own      all          all -
handover.take      -        all          all -
demo.place         all      -            all all
trail.read         -        -            -   all
users.admin        -        -            -   all
rules.edit         -        -            -   all
retention.read     -        -            -   all
hold.ask           -        all          -   -
retention.decide   -        -            -   all
models.choose      -        -            -   all
health.read        -        -            -   all
"""


def test_every_cell_of_the_table() -> None:
    head, *rows = (line.split() for line in TABLE.strip().splitlines())
    cells = {
        (Role(role), Action(row[0])): None if cell == "-" else Scope(cell)
        for row in rows
        for role, cell in zip(head, row[1:], strict=True)
    }
    assert len(cells) == len(Role) * len(Action)
    assert {cell: scope([cell[0]], cell[1]) for cell in cells} == cells


def test_every_role_has_its_row() -> None:
    assert set(table()) == set(Role)


def test_roles_add_up_to_the_wider_scope_and_no_role_may_do_nothing() -> None:
    both = [Role.OPERATOR, Role.ADMIN]
    assert actions(both) == set(table()[Role.OPERATOR]) | set(table()[Role.ADMIN])
    assert scope(both, Action.CALL_LIST) is Scope.ALL
    assert actions([]) == frozenset()
    with pytest.raises(AccessDenied):
        demand([], Action.CALL_LIST)
    assert demand([Role.QA, Role.OPERATOR], Action.CALL_TAKE) is Scope.ALL
