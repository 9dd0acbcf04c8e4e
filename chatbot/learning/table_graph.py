"""Encoders that are a table of token vectors: a text is the sum of its tokens' rows, scaled to unit length.

The graph is written by hand: three operators need no exporter, and it is the same folder form as every other encoder
(chatbot/inference/encode.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_table_graph(path: Path, table: NDArray[Any]) -> None:
    """states = table[ids]; vector = Σ states / ‖Σ states‖. A text whose rows are zero gets the zero vector.

    ``table``: float32 or float16 [tokens, dimension]; what is kept in half precision is summed in single.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    width = table.shape[1]
    half = table.dtype == np.float16
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([2], dtype=np.int64), "last"),
        numpy_helper.from_array(np.array([1], dtype=np.int64), "length"),
        numpy_helper.from_array(np.array(1e-9, dtype=np.float32), "tiny"),
    ]
    nodes = [
        helper.make_node(
            "Gather", ["table", "input_ids"], ["half" if half else "raw"]
        ),  # [batch, length, width]
        *([helper.make_node("Cast", ["half"], ["raw"], to=TensorProto.FLOAT)] if half else []),
        helper.make_node("Cast", ["attention_mask"], ["kept"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["kept", "last"], ["mask"]),  # [batch, length, 1]
        helper.make_node("Mul", ["raw", "mask"], ["states"]),
        helper.make_node("ReduceSum", ["states", "length"], ["sum"], keepdims=0),  # [batch, width]
        helper.make_node("ReduceL2", ["sum", "length"], ["norm"], keepdims=1),
        helper.make_node("Max", ["norm", "tiny"], ["divisor"]),
        helper.make_node("Div", ["sum", "divisor"], ["vector"]),
    ]
    places = ["batch", "length"]
    graph = helper.make_graph(
        nodes,
        "characters",
        [
            helper.make_tensor_value_info(n, TensorProto.INT64, places)
            for n in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info("states", TensorProto.FLOAT, [*places, width]),
            helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", width]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
