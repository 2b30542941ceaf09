"""Lines of a CSV file (RFC 4180) that a spreadsheet can open without being told to run anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

BOM: Final = "\ufeff"
"""Before the first line: without it some programs take the letters for others."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def row(cells: Iterable[str]) -> str:
    """One line. What begins like a formula would be run by the program that opens the file, so it is quoted."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(
        f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA) else cell
        for cell in cells
    )
    return line.getvalue()
