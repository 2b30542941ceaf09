"""A spreadsheet that opens our lines runs nothing of what somebody wrote into them."""

from __future__ import annotations

import csv
import io

import pytest

from callsvc.web import spreadsheet

pytestmark = pytest.mark.screens


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1+1",
        "\u00a0=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
    ],
)
def test_what_would_be_a_formula_is_quoted(cell: str) -> None:
    ((read, beside),) = csv.reader(io.StringIO(spreadsheet.row([cell, "x"]), newline=""))
    assert (read, beside) == (f"'{cell}", "x")


@pytest.mark.parametrize("cell", ["", "Hon sa = nej", "5000-K1-24", 'med "citat", komma', "två\nrader"])
def test_anything_else_is_as_it_was(cell: str) -> None:
    assert next(csv.reader(io.StringIO(spreadsheet.row([cell]), newline="")), [""]) == [cell]
