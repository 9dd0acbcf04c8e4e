"""Bags of hashed features in an ONNX graph: their rows summed, over the root of how many there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from chatbot.neural.export import to_int8_rows

OPSET = 18


def bag_nodes(
    table: NDArray[np.float32], *, ids: str, out: str
) -> tuple[dict[str, NDArray[Any]], list[onnx.NodeProto]]:
    """Constants and nodes from ``ids`` int64 [t, w] (0 is padding) to ``out`` float [t, e]; the rows are kept as int8
    with a scale a row."""
    rows, scales = to_int8_rows(table)
    constants: dict[str, NDArray[Any]] = {
        "bag_rows": rows,
        "bag_scales": scales[:, None],
        "bag_axis": np.array([1]),
        "bag_zero": np.array(0),
        "bag_one": np.array(1.0, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["bag_rows", ids], ["bag_int8"]),  # [t, w, e]
        node("Cast", ["bag_int8"], ["bag_float"], to=TensorProto.FLOAT),
        node("Gather", ["bag_scales", ids], ["bag_scale"]),
        node("Mul", ["bag_float", "bag_scale"], ["bag_scaled"]),
        node("ReduceSum", ["bag_scaled", "bag_axis"], ["bag_sum"], keepdims=0),  # [t, e]
        node("Equal", [ids, "bag_zero"], ["bag_padding"]),
        node("Not", ["bag_padding"], ["bag_real"]),
        node("Cast", ["bag_real"], ["bag_ones"], to=TensorProto.FLOAT),
        node("ReduceSum", ["bag_ones", "bag_axis"], ["bag_count"], keepdims=1),
        node("Max", ["bag_count", "bag_one"], ["bag_some"]),
        node("Sqrt", ["bag_some"], ["bag_root"]),
        node("Div", ["bag_sum", "bag_root"], [out]),
    ]
    return constants, nodes


def finished(
    name: str,
    nodes: list[onnx.NodeProto],
    constants: dict[str, NDArray[Any]],
    *,
    inputs: dict[str, list[str]],
    outputs: dict[str, list[str | int]],
) -> onnx.ModelProto:
    """A graph with int64 inputs and float outputs, readable by every onnxruntime that pyproject allows."""
    graph = helper.make_graph(
        nodes,
        name,
        inputs=[
            helper.make_tensor_value_info(one, TensorProto.INT64, shape) for one, shape in inputs.items()
        ],
        outputs=[
            helper.make_tensor_value_info(one, TensorProto.FLOAT, shape) for one, shape in outputs.items()
        ],
        initializer=[
            numpy_helper.from_array(np.ascontiguousarray(value), key) for key, value in constants.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 10
    return model
