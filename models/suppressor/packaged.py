"""The weights of the package, and nothing else: their hash must be the one that their card states."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from models.errors import ModelError
from models.suppressor.network import Network, weights_path

INSTALL = "Install the program again: the weights are part of the package."


class WeightsError(ModelError):
    """The suppressor's weights cannot be used."""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"


def stated_sha256(card: Path | None = None) -> str:
    """The hash of the weights by their card."""
    card = card or weights_path().with_name("MODEL_CARD.md")
    try:
        found = re.search(
            r"`weights\.onnx`\D{0,40}SHA-256\s+`([0-9a-f]{64})`", card.read_text(encoding="utf-8")
        )
    except OSError as error:
        raise WeightsError(
            "{name} cannot be read ({why}).",
            INSTALL,
            name=card.name,
            why=error,
        ) from error
    if found is None:
        raise WeightsError(
            "{name} states no SHA-256 of the weights.",
            INSTALL,
            name=card.name,
        )
    return found[1]


def load(path: Path | None = None, card: Path | None = None) -> Network:
    """The network with the package's weights, or with those at `path` if they are the same, byte for byte.

    Raises WeightsError: missing, changed, or not to be run by the inference library.
    """
    path = path or weights_path()
    stated = stated_sha256(card)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(
            "{name} cannot be read ({why}).",
            INSTALL,
            name=path.name,
            why=error,
        ) from error
    if found != stated:
        raise WeightsError(
            "{name} is not what its card speaks of: SHA-256 {found}..., not {stated}....",
            INSTALL,
            name=path.name,
            found=found[:12],
            stated=stated[:12],
        )
    try:
        network = Network(path)
    except Exception as error:  # the library has a tree of its own, which grows
        raise WeightsError(
            "{name} cannot be run ({kind}).",
            INSTALL,
            name=path.name,
            kind=type(error).__name__,
        ) from error
    if network.sha256 != stated:
        raise WeightsError(
            "{name} changed while it was read.",
            INSTALL,
            name=path.name,
        )
    return network
