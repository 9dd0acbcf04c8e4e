"""Bags of hashed features in an ONNX graph: their rows summed, over the root of how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from chatbot.neural.export import to_int8_rows

OPSET = 18


def bag_nodes(
    table: NDArray[np.float32], *, ids: str, out: str, prefix: str = "bag"
) -> tuple[dict[str, NDArray[Any]], list[onnx.NodeProto]]:
    """Constants and nodes from ``ids`` int64 [t, w] (0 is padding) to ``out`` float [t, e]; the rows are kept as int8
    with a scale a row. ``prefix``: of the names within, another for each bag of a graph."""
    rows, scales = to_int8_rows(table)
    constants: dict[str, NDArray[Any]] = {
        f"{prefix}_rows": rows,
        f"{prefix}_scales": scales[:, None],
        f"{prefix}_axis": np.array([1]),
        f"{prefix}_zero": np.array(0),
        f"{prefix}_one": np.array(1.0, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Gather", [f"{prefix}_rows", ids], [f"{prefix}_int8"]),  # [t, w, e]
        node("Cast", [f"{prefix}_int8"], [f"{prefix}_float"], to=TensorProto.FLOAT),
        node("Gather", [f"{prefix}_scales", ids], [f"{prefix}_scale"]),
        node("Mul", [f"{prefix}_float", f"{prefix}_scale"], [f"{prefix}_scaled"]),
        node("ReduceSum", [f"{prefix}_scaled", f"{prefix}_axis"], [f"{prefix}_sum"], keepdims=0),  # [t, e]
        node("Equal", [ids, f"{prefix}_zero"], [f"{prefix}_padding"]),
        node("Not", [f"{prefix}_padding"], [f"{prefix}_real"]),
        node("Cast", [f"{prefix}_real"], [f"{prefix}_ones"], to=TensorProto.FLOAT),
        node("ReduceSum", [f"{prefix}_ones", f"{prefix}_axis"], [f"{prefix}_count"], keepdims=1),
        node("Max", [f"{prefix}_count", f"{prefix}_one"], [f"{prefix}_some"]),
        node("Sqrt", [f"{prefix}_some"], [f"{prefix}_root"]),
        node("Div", [f"{prefix}_sum", f"{prefix}_root"], [out]),
    ]
    return constants, nodes


def finished(
    name: str,
    nodes: list[onnx.NodeProto],
    constants: dict[str, NDArray[Any]],
    *,
    inputs: Mapping[str, Sequence[str | int]],
    outputs: Mapping[str, Sequence[str | int]],
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
