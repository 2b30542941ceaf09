"""Writes a trained network as an ONNX graph of one step, by hand, so that the graph is what the card says.

Matrices are whole numbers (`whole.py`); what is added, gated and carried from step to step stays in single precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.suppressor.features import BINS, FEATURES
from models.suppressor.network import EMBED, HIDDEN, STATE
from models.suppressor.training.whole import EITHER_WAY, Scale, product, up_to

Weight = NDArray[np.float32]
Weights = Mapping[str, Weight]
OPSET = 17
CONTRIB = "com.microsoft"
"""Where ONNX Runtime keeps operators of its own: here a product of whole numbers that ends in single precision."""
REST = np.float32(0.06)
"""Where nobody speaks gains up to this become exactly 0, and the others move up in proportion: a trace of a stroke is
still a stroke."""
SURE = np.float32(3.0)
"""How fast that ends as a voice becomes likely: from a probability of two thirds on, here. Under a sure voice it costs words."""
TOP = np.float32(0.98)
"""Gains from this on become exactly 1: what is nearly let through is speech, and what is between loses less of it."""
SEEN = Scale(6 / 255, 85)
"""Features from -2, nothing at all, to 4."""
EMBEDDED, MIXED = up_to(6.4), up_to(8.0)
"""Hundred thousandth parts of what the first two layers say of the pool at any loudness are above this, and cut off."""


class Whole(NamedTuple):
    """A tensor of unsigned bytes in the graph."""

    name: str
    scale: Scale


class Graph:
    """Nodes and constants in the order in which they are said."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.one = self.constant("one", np.array(1, np.float32))

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, inputs: list[str], *outputs: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, list(outputs), **attributes))
        return outputs[0]

    def whole(self, source: str, scale: Scale) -> Whole:
        step = self.constant(source + ".step", np.array(scale.step, np.float32))
        zero = self.constant(source + ".zero", np.array(scale.zero, np.uint8))
        return Whole(self.op("QuantizeLinear", [source, step, zero], source + ".whole"), scale)

    def beside(self, name: str, *sources: Whole) -> str:
        return self.op("Concat", [source.name for source in sources], name, axis=1)

    def dense(self, name: str, source: str, parts: list[tuple[Scale, Weight]], bias: Weight) -> str:
        """`source` is whole numbers; `parts` are their scales and the weights (outputs, inputs), from left to right."""
        weight, step, bias = product([(scale, part.T) for scale, part in parts], bias)
        w, s = self.constant(name + ".weight", weight), self.constant(name + ".step", step)
        b = self.constant(name + ".bias", bias)
        return self.op("MatMulIntegerToFloat", [source, w, self.one, s, "", "", b], name, domain=CONTRIB)

    def gru(self, name: str, source: Whole, state: str, weights: Weights) -> str:
        """One step of a GRU, gates in the order reset, update, new; source and state meet in one product."""
        wx, wh = weights[name + ".weight_ih_l0"], weights[name + ".weight_hh_l0"]
        bx, bh = weights[name + ".bias_ih_l0"], weights[name + ".bias_hh_l0"]
        gates, new = slice(0, 2 * HIDDEN), slice(2 * HIDDEN, None)
        kept = self.whole(state, EITHER_WAY)
        both = self.beside(name + ".both", source, kept)
        self.dense(
            name + ".g", both, [(source.scale, wx[gates]), (kept.scale, wh[gates])], bx[gates] + bh[gates]
        )
        self.dense(name + ".xn", source.name, [(source.scale, wx[new])], bx[new])
        self.dense(name + ".hn", kept.name, [(kept.scale, wh[new])], bh[new])
        self.op("Sigmoid", [name + ".g"], name + ".gate")
        half = self.constant(name + ".half", np.array([HIDDEN, HIDDEN], np.int64))
        self.op("Split", [name + ".gate", half], name + ".r", name + ".z", axis=1)
        self.op("Mul", [name + ".r", name + ".hn"], name + ".rh")
        self.op("Add", [name + ".xn", name + ".rh"], name + ".pre")
        self.op("Tanh", [name + ".pre"], name + ".n")
        self.op("Sub", [state, name + ".n"], name + ".gap")
        self.op("Mul", [name + ".z", name + ".gap"], name + ".kept")
        return self.op("Add", [name + ".n", name + ".kept"], name + ".out")

    def clear(self, gain: str, voice: str, out: str) -> str:
        """Makes ends of gains that are nearly 0 or 1, by REST, SURE and TOP."""
        zero, top = self.constant("zero", np.array(0, np.float32)), self.constant("top", np.array(TOP))
        self.op("Sub", [self.one, voice], out + ".unlikely")
        self.op("Mul", [out + ".unlikely", self.constant("sure", np.array(SURE))], out + ".doubt")
        self.op("Clip", [out + ".doubt", zero, self.one], out + ".quiet")
        self.op("Mul", [out + ".quiet", self.constant("rest", np.array(REST))], out + ".rest")
        self.op("Sub", [top, out + ".rest"], out + ".span")
        self.op("Sub", [gain, out + ".rest"], out + ".above")
        self.op("Div", [out + ".above", out + ".span"], out + ".share")
        return self.op("Clip", [out + ".share", zero, self.one], out)


def build(weights: Weights) -> onnx.ModelProto:
    """The graph: features and state in; gains, key and voice probabilities and the next state out."""
    g = Graph()
    parts = g.constant("parts", np.array([HIDDEN, HIDDEN, EMBED, EMBED], np.int64))
    g.op("Split", ["state", parts], "h1", "h2", "e1", "e2", axis=1)
    g.dense("embed", g.whole("features", SEEN).name, [(SEEN, weights["embed.weight"])], weights["embed.bias"])
    g.op("Relu", ["embed"], "e0")
    e1 = g.whole("e1", EMBEDDED)
    context = g.beside("context", g.whole("e0", EMBEDDED), e1, g.whole("e2", EMBEDDED))
    g.dense("mix", context, [(EMBEDDED, weights["mix.weight"])], weights["mix.bias"])
    g.op("Relu", ["mix"], "z")
    z = g.whole("z", MIXED)
    h1 = g.gru("gru1", z, "h1", weights)
    h2 = g.gru("gru2", g.whole(h1, EITHER_WAY), "h2", weights)
    heard = g.beside("all", g.whole(h2, EITHER_WAY), z, e1)
    # What is said of a frame comes of one product: a product for a single number costs a fifth of that for all gains.
    said = [weights["gain.weight"], weights["keys.weight"], weights["voice.weight"]]
    bias = [weights["gain.bias"], weights["keys.bias"], weights["voice.bias"]]
    last, mixed, before = np.split(np.concatenate(said), [HIDDEN, 2 * HIDDEN], axis=1)
    each_part = [(EITHER_WAY, last), (MIXED, mixed), (EMBEDDED, before)]
    g.dense("said", heard, each_part, np.concatenate(bias))
    kinds = g.constant("kinds", np.array([BINS, 2], np.int64))
    g.op("Split", ["said", kinds], "gain", "logits", axis=1)
    g.op("Sigmoid", ["logits"], "likely")
    each = g.constant("each", np.array([1, 1], np.int64))
    g.op("Split", ["likely", each], "keys", "voice", axis=1)
    g.clear("gain", "voice", "gains")
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
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    return model


def write(weights: Weights, path: Path) -> None:
    """Puts the graph in place in one go: a reader never sees half a file."""
    draft = path.with_suffix(".part")
    draft.write_bytes(build(weights).SerializeToString())
    draft.replace(path)
