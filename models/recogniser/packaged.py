"""The small model that is part of the program: for demonstration and tests, never for real calls.

Its card (`demo/MODEL_CARD.md`) says what it knows and how well. It is used where it is named, and nowhere by itself.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

NAME = "callsvc-demo-sv"


def directory() -> Path:
    """Where the model lies; it is checked like any other before it is used."""
    return Path(str(resources.files(__package__).joinpath("demo")))
