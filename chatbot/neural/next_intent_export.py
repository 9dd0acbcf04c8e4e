"""The trained model of next questions → one small graph, written operator by operator.

next.onnx  ``names`` int64 [t], ``words`` int64 [t, w] (0 is padding) → ``logits`` [1, names] after the last event;
           with a table of the last words also ``last`` int64 [1, l], the last words and pairs of them
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from chatbot.neural.bag_export import bag_nodes, finished
from chatbot.neural.export import onnx_gates


def next_intent_graph(
    state: Mapping[str, NDArray[np.float32]], *, order: float = 1.0, last: NDArray[np.float32] | None = None
) -> onnx.ModelProto:
    """The word rows are kept as int8 with a scale a row; everything else is small and stays float.

    ``last`` [buckets, names]: what the last words add to the network's logits times ``order``.
    """
    bag, said = bag_nodes(state["words.weight"], ids="words", out="said")
    units = state["lstm.weight_hh_l0"].shape[1]
    width = state["words.weight"].shape[1] + state["names.weight"].shape[1]
    constants = bag | {
        "name_rows": state["names.weight"],
        "W": onnx_gates(state["lstm.weight_ih_l0"])[None],  # [1, 4h, e]
        "R": onnx_gates(state["lstm.weight_hh_l0"])[None],
        "B": np.concatenate([onnx_gates(state["lstm.bias_ih_l0"]), onnx_gates(state["lstm.bias_hh_l0"])])[
            None
        ],
        "out_weight": state["out.weight"].T,
        "out_bias": state["out.bias"],
        "time": np.array([-1, 1, width]),
        "flat": np.array([1, units]),
        "counted": state["counted"],
        "newest": np.array([-1]),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["name_rows", "names"], ["named"]),  # [t, n]
        *said,
        node("Concat", ["named", "said"], ["both"], axis=1),
        node("Reshape", ["both", "time"], ["x"]),  # [t, 1, n + e]
        node("LSTM", ["x", "W", "R", "B"], ["", "hidden"], hidden_size=units),  # [1, 1, h]
        node("Reshape", ["hidden", "flat"], ["state"]),
        node("Gemm", ["state", "out_weight", "out_bias"], ["learned"]),
        node("Gather", ["names", "newest"], ["name"]),  # [1]
        node("Gather", ["counted", "name"], ["by_counts"]),  # [1, names]
        node("Add", ["learned", "by_counts"], ["logits" if last is None else "by_order"]),
    ]
    inputs: dict[str, list[str | int]] = {"names": ["t"], "words": ["t", "w"]}
    if last is not None:
        more, told = bag_nodes(last, ids="last", out="told", prefix="last")
        constants |= more | {"order": np.array(order, np.float32)}
        nodes += [
            *told,
            node("Mul", ["by_order", "order"], ["ordered"]),
            node("Add", ["ordered", "told"], ["logits"]),
        ]
        inputs["last"] = [1, "l"]
    return finished(
        "next_intent",
        nodes,
        constants,
        inputs=inputs,
        outputs={"logits": [1, state["out.bias"].shape[0]]},
    )
