"""The trained model of next questions → one small graph, written operator by operator.

next.onnx  ``names`` int64 [t], ``words`` int64 [t, w] (0 is padding) → ``logits`` [1, names] after the last event
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from chatbot.neural.export import onnx_gates, to_int8_rows

_OPSET = 18


def next_intent_graph(state: Mapping[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """The word rows are kept as int8 with a scale a row; everything else is small and stays float."""
    rows, scales = to_int8_rows(state["words.weight"])
    units = state["lstm.weight_hh_l0"].shape[1]
    width = state["words.weight"].shape[1] + state["names.weight"].shape[1]
    constants = {
        "name_rows": state["names.weight"],
        "word_rows": rows,
        "word_scales": scales[:, None],
        "W": onnx_gates(state["lstm.weight_ih_l0"])[None],  # [1, 4h, e]
        "R": onnx_gates(state["lstm.weight_hh_l0"])[None],
        "B": np.concatenate([onnx_gates(state["lstm.bias_ih_l0"]), onnx_gates(state["lstm.bias_hh_l0"])])[
            None
        ],
        "out_weight": state["out.weight"].T,
        "out_bias": state["out.bias"],
        "axis1": np.array([1]),
        "zero": np.array(0),
        "one": np.array(1.0, np.float32),
        "time": np.array([-1, 1, width]),
        "flat": np.array([1, units]),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["name_rows", "names"], ["named"]),  # [t, n]
        node("Gather", ["word_rows", "words"], ["rows_int8"]),  # [t, w, e]
        node("Cast", ["rows_int8"], ["rows_float"], to=TensorProto.FLOAT),
        node("Gather", ["word_scales", "words"], ["scales"]),
        node("Mul", ["rows_float", "scales"], ["rows"]),
        node("ReduceSum", ["rows", "axis1"], ["summed"], keepdims=0),  # [t, e]
        node("Equal", ["words", "zero"], ["padding"]),
        node("Not", ["padding"], ["real"]),
        node("Cast", ["real"], ["ones"], to=TensorProto.FLOAT),
        node("ReduceSum", ["ones", "axis1"], ["count"], keepdims=1),
        node("Max", ["count", "one"], ["some"]),
        node("Sqrt", ["some"], ["root"]),
        node("Div", ["summed", "root"], ["said"]),
        node("Concat", ["named", "said"], ["both"], axis=1),
        node("Reshape", ["both", "time"], ["x"]),  # [t, 1, n + e]
        node("LSTM", ["x", "W", "R", "B"], ["", "last"], hidden_size=units),  # [1, 1, h]
        node("Reshape", ["last", "flat"], ["state"]),
        node("Gemm", ["state", "out_weight", "out_bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "next_intent",
        inputs=[
            helper.make_tensor_value_info("names", TensorProto.INT64, ["t"]),
            helper.make_tensor_value_info("words", TensorProto.INT64, ["t", "w"]),
        ],
        outputs=[helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, state["out.bias"].shape[0]])],
        initializer=[
            numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version = 10  # readable by every onnxruntime that pyproject allows
    return model
