"""The weights of the package, and nothing else: their hash must be the one that their card states."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from models.suppressor.network import Network, weights_path

INSTALL = "Install the program again: the weights are part of the package."


class WeightsError(Exception):
    """The suppressor's weights cannot be used."""


def stated_sha256(card: Path | None = None) -> str:
    """The hash of the weights by their card."""
    card = card or weights_path().with_name("MODEL_CARD.md")
    try:
        found = re.search(
            r"`weights\.onnx`\D{0,40}SHA-256\s+`([0-9a-f]{64})`", card.read_text(encoding="utf-8")
        )
    except OSError as error:
        raise WeightsError(f"{card.name} cannot be read ({error.strerror}). {INSTALL}") from error
    if found is None:
        raise WeightsError(f"{card.name} states no SHA-256 of the weights. {INSTALL}")
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
        raise WeightsError(f"{path.name} cannot be read ({error.strerror}). {INSTALL}") from error
    if found != stated:
        raise WeightsError(
            f"{path.name} is not what its card speaks of: SHA-256 {found[:12]}..., not {stated[:12]}.... {INSTALL}"
        )
    try:
        network = Network(path)
    except Exception as error:  # the library has a tree of its own, which grows
        raise WeightsError(f"{path.name} cannot be run ({type(error).__name__}). {INSTALL}") from error
    if network.sha256 != stated:
        raise WeightsError(f"{path.name} changed while it was read. {INSTALL}")
    return network
