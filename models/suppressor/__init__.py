"""The keystroke suppressor's network: features, streaming signature, weights and their card."""

from models.suppressor.features import BINS, BLOCK, FEATURES, LATENCY, RATE, WINDOW
from models.suppressor.network import STATE, Network, weights_path

__all__ = ["BINS", "BLOCK", "FEATURES", "LATENCY", "RATE", "STATE", "WINDOW", "Network", "weights_path"]
