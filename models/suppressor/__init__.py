"""The keystroke suppressor's network: features, streaming signature, weights and their card."""

from models.suppressor.features import BINS, BLOCK, FEATURES, LATENCY, RATE, WINDOW
from models.suppressor.network import STATE, Network, weights_path
from models.suppressor.packaged import WeightsError, load, stated_sha256

__all__ = [
    "BINS",
    "BLOCK",
    "FEATURES",
    "LATENCY",
    "RATE",
    "STATE",
    "WINDOW",
    "Network",
    "WeightsError",
    "load",
    "stated_sha256",
    "weights_path",
]
