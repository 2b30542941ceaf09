"""Writes a trained network as an ONNX graph of one step, by hand, so that the graph is what the card says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.suppressor.features import BINS, FEATURES
from models.suppressor.network import EMBED, HIDDEN, STATE

Weights = Mapping[str, NDArray[np.float32]]
OPSET = 17
REST = np.float32(0.05)
"""Gains up to this become exactly 0, the others move up in proportion: a trace of a stroke is still a stroke."""


class Graph:
    """Nodes and constants in the order in which they are said."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, inputs: list[str], *outputs: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, list(outputs), **attributes))
        return outputs[0]

    def dense(self, name: str, source: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        w = self.constant(name + ".weight", weight.T)
        return self.op("Gemm", [source, w, self.constant(name + ".bias", bias)], name)

    def gru(self, name: str, source: str, state: str, weights: Weights) -> str:
        """One step of a GRU, gates in the order reset, update, new; source and state meet in one product."""
        wx, wh = weights[name + ".weight_ih_l0"], weights[name + ".weight_hh_l0"]
        bx, bh = weights[name + ".bias_ih_l0"], weights[name + ".bias_hh_l0"]
        gates, new = slice(0, 2 * HIDDEN), slice(2 * HIDDEN, None)
        self.op("Concat", [source, state], name + ".both", axis=1)
        both = np.concatenate([wx[gates], wh[gates]], axis=1)
        self.dense(name + ".g", name + ".both", both, bx[gates] + bh[gates])
        self.dense(name + ".xn", source, wx[new], bx[new])
        self.dense(name + ".hn", state, wh[new], bh[new])
        self.op("Sigmoid", [name + ".g"], name + ".gate")
        half = self.constant(name + ".half", np.array([HIDDEN, HIDDEN], np.int64))
        self.op("Split", [name + ".gate", half], name + ".r", name + ".z", axis=1)
        self.op("Mul", [name + ".r", name + ".hn"], name + ".rh")
        self.op("Add", [name + ".xn", name + ".rh"], name + ".pre")
        self.op("Tanh", [name + ".pre"], name + ".n")
        self.op("Sub", [state, name + ".n"], name + ".gap")
        self.op("Mul", [name + ".z", name + ".gap"], name + ".kept")
        return self.op("Add", [name + ".n", name + ".kept"], name + ".out")


def build(weights: Weights) -> onnx.ModelProto:
    """The graph: features and state in; gains, key and voice probabilities and the next state out."""
    g = Graph()
    parts = g.constant("parts", np.array([HIDDEN, HIDDEN, EMBED, EMBED], np.int64))
    g.op("Split", ["state", parts], "h1", "h2", "e1", "e2", axis=1)
    g.dense("embed", "features", weights["embed.weight"], weights["embed.bias"])
    g.op("Relu", ["embed"], "e0")
    g.op("Concat", ["e0", "e1", "e2"], "context", axis=1)
    g.dense("mix", "context", weights["mix.weight"], weights["mix.bias"])
    g.op("Relu", ["mix"], "z")
    h1 = g.gru("gru1", "z", "h1", weights)
    h2 = g.gru("gru2", h1, "h2", weights)
    g.op("Concat", [h2, "z", "e1"], "all", axis=1)
    # What is said of a frame comes of one product: a product for a single number costs a fifth of that for all gains.
    said = [weights["gain.weight"] / (1 - REST), weights["keys.weight"], weights["voice.weight"]]
    bias = [(weights["gain.bias"] - REST) / (1 - REST), weights["keys.bias"], weights["voice.bias"]]
    g.dense("said", "all", np.concatenate(said), np.concatenate(bias))
    kinds = g.constant("kinds", np.array([BINS, 2], np.int64))
    g.op("Split", ["said", kinds], "gain", "logits", axis=1)
    low = g.constant("zero", np.array(0, np.float32))
    high = g.constant("one", np.array(1, np.float32))
    g.op("Clip", ["gain", low, high], "gains")
    g.op("Sigmoid", ["logits"], "likely")
    each = g.constant("each", np.array([1, 1], np.int64))
    g.op("Split", ["likely", each], "keys", "voice", axis=1)
    g.op("Concat", [h1, h2, "e0", "e1"], "state_out", axis=1)

    def value(name: str, width: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["streams", width])

    graph = helper.make_graph(
        g.nodes,
        "keystroke-suppressor",
        [value("features", FEATURES), value("state", STATE)],
        [value("gains", BINS), value("keys", 1), value("voice", 1), value("state_out", STATE)],
        g.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def write(weights: Weights, path: Path) -> None:
    """Puts the graph in place in one go: a reader never sees half a file."""
    draft = path.with_suffix(".part")
    draft.write_bytes(build(weights).SerializeToString())
    draft.replace(path)
