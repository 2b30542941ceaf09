"""What somebody wrote, as others will see it."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic import BeforeValidator

_UNSEEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e]")


def _seen(words: Any) -> Any:
    return _UNSEEN.sub("", words) if isinstance(words, str) else words


SEEN: Final = BeforeValidator(_seen)
"""What somebody wrote, without what nobody sees: control characters, and those that turn the letters behind them round,
by which a text could be stored as one thing and read as another. Lines, tabs and Arabic stay as they are."""
