"""The trained tagger → one small graph; the transitions stay outside, the best path is found in numpy.

tagger.onnx  ``features`` int64 [t, w] (0 is padding) → ``scores`` [t, tags]
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from chatbot.neural.bag_export import bag_nodes, finished
from chatbot.neural.export import onnx_gates


def tagger_graph(state: Mapping[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """The feature rows are kept as int8 with a scale a row; everything else is small and stays float."""
    bag, said = bag_nodes(state["features.weight"], ids="features", out="said")
    units = state["lstm.weight_hh_l0"].shape[1]

    def both_ways(name: str) -> NDArray[np.float32]:
        return np.stack([onnx_gates(state[f"lstm.{name}_l0{way}"]) for way in ("", "_reverse")])

    constants = bag | {
        "W": both_ways("weight_ih"),  # [2, 4h, e]
        "R": both_ways("weight_hh"),
        "B": np.concatenate([both_ways("bias_ih"), both_ways("bias_hh")], axis=1),
        "out_weight": state["out.weight"].T,
        "out_bias": state["out.bias"],
        "time": np.array([-1, 1, state["features.weight"].shape[1]]),
        "flat": np.array([-1, 2 * units]),
    }
    node = helper.make_node
    nodes = [
        *said,
        node("Reshape", ["said", "time"], ["x"]),  # [t, 1, e]
        node("LSTM", ["x", "W", "R", "B"], ["states"], hidden_size=units, direction="bidirectional"),
        node("Reshape", ["states", "flat"], ["state"]),  # [t, 2, 1, h] → [t, 2h]
        node("Gemm", ["state", "out_weight", "out_bias"], ["scores"]),
    ]
    return finished(
        "entity_tagger",
        nodes,
        constants,
        inputs={"features": ["t", "w"]},
        outputs={"scores": ["t", state["out.bias"].shape[0]]},
    )
