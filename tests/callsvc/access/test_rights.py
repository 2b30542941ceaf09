"""The table of rights says what each role may do; this is the same table, written down a second time on purpose."""

from __future__ import annotations

import pytest

from callsvc.access.rights import RIGHTS, Action, actions, allowed, demand
from callsvc.errors import AccessDenied
from callsvc.types import Role

pytestmark = pytest.mark.call

TABLE = """
                 operator investigator qa  admin
call.take        yes      no           no  no
call.list        yes      yes          yes yes
call.open        no       yes          yes no
audio.read       no       yes          yes no
transcript.read  no       yes          yes no
demo.place       yes      no           yes yes
trail.read       no       no           no  yes
users.admin      no       no           no  yes
health.read      no       no           no  yes
"""


def test_every_cell_of_the_table() -> None:
    head, *rows = (line.split() for line in TABLE.strip().splitlines())
    cells = {
        (Role(role), Action(row[0])): cell == "yes"
        for row in rows
        for role, cell in zip(head, row[1:], strict=True)
    }
    assert len(cells) == len(Role) * len(Action)
    assert {cell: allowed([cell[0]], cell[1]) for cell in cells} == cells


def test_every_role_has_its_row() -> None:
    assert set(RIGHTS) == set(Role)


def test_roles_add_up_and_no_role_may_do_nothing() -> None:
    assert actions([Role.OPERATOR, Role.ADMIN]) == RIGHTS[Role.OPERATOR] | RIGHTS[Role.ADMIN]
    assert actions([]) == frozenset()
    with pytest.raises(AccessDenied):
        demand([], Action.CALL_LIST)
    demand([Role.QA, Role.OPERATOR], Action.CALL_TAKE)
