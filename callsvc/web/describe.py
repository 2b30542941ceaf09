"""Writes the API's OpenAPI description, from which the types of the screens are made.

python -m callsvc.web.describe      then, in callsvc/web/ui: npm run types
"""

from __future__ import annotations

import json
from pathlib import Path

from callsvc.web.app import describe

FILE = Path(__file__).parent / "ui" / "openapi.json"


def description() -> str:
    return json.dumps(describe().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(description(), encoding="utf-8")
