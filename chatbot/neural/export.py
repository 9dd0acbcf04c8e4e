"""A trained intent network → the files it serves from: an ONNX graph, int8, and tables of embeddings, int8 and int4.

The graph is written out operator by operator with ONNX's own bidirectional LSTM: it reads the lengths, so
padding changes nothing, and its input is the embedded text, because the look-up (hashing, a cache of words)
is plain Python and numpy. Both dimensions are free.

The accurate tier's graph is the same over a sentence encoder's token states, and has its unit ``vector`` [b,
d] as one more input, which joins the features.

Graph: ``x`` float [b, t, e], ``lengths`` int32 [b], ``mask`` float [b, t] (0 on the message, -1e9 elsewhere)
→ ``logits`` float [b, classes + 1], ``features`` float [b, 4h].

The fast tier has a second graph for one message at a time, without what only a batch needs (seven of a hundred
microseconds): ``x`` float [t, 1, e], ``start`` int64 [1] (where the message begins) → ``logits`` [1, classes + 1].
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from chatbot.inference.classifier_config import EMBEDDINGS_FILE, GRAPH_FILE, ONE_GRAPH_FILE, WEIGHTS_FILE
from chatbot.neural.intent_classifier import IntentNetwork
from chatbot.neural.state_classifier import StateNetwork, vector_scale

log = logging.getLogger(__name__)

OPSET = 17
_IDLE = 1e-4  # of the largest weight: below half a step of int8 in every sum


def export_intents(
    network: IntentNetwork, folder: Path, *, int8: bool = True, small_grams: bool = True
) -> None:
    """Write model.onnx, embeddings.safetensors (served) and weights.safetensors (trained) into ``folder``.

    int8: the graph's weights, else they stay float. small_grams: n-grams' vectors in four bits instead of eight.
    """
    state = _write(network, folder, hidden=network.config.hidden, int8=int8)
    _save(one_message_graph(state, hidden=network.config.hidden), folder / ONE_GRAPH_FILE, int8=int8)
    tables: dict[str, NDArray[Any]] = {"context": state["context"].astype(np.float32)}
    tables["words"], tables["word_scales"] = to_int8_rows(state["word.weight"])
    even = state["gram.weight"].shape[1] % 2 == 0  # two numbers share a byte
    shrink = to_int4_rows if small_grams and even else to_int8_rows
    tables["grams"], tables["gram_scales"] = shrink(state["gram.weight"])
    for name in ("word", "gram"):
        if network.config.wide:
            rarity = state[f"{name}_rarity"]
            weights, tables[f"wide_{name}_rows"] = without_idle_rows(
                state[f"wide_{name}.weight"] * rarity[:, None]
            )
            tables[f"wide_{name}s"], tables[f"wide_{name}_scales"] = to_int8_rows(weights)
            tables[f"{name}_rarity"] = rarity.astype(np.float32)
    save_file(tables, folder / EMBEDDINGS_FILE)


def export_states(network: StateNetwork, folder: Path, *, int8: bool = True) -> None:
    """Write the accurate tier's model.onnx (served) and weights.safetensors (trained) into ``folder``."""
    _write(network, folder, hidden=network.config.hidden, int8=int8, width=network.config.width)


def _write(
    network: IntentNetwork | StateNetwork, folder: Path, *, hidden: int, int8: bool, width: int = 0
) -> dict[str, NDArray[np.float32]]:
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
    save_file({name: np.ascontiguousarray(value) for name, value in state.items()}, folder / WEIGHTS_FILE)
    _save(intent_graph(state, hidden=hidden, width=width), folder / GRAPH_FILE, int8=int8)
    return state


def _save(model: onnx.ModelProto, path: Path, *, int8: bool) -> None:
    onnx.checker.check_model(model)
    path.write_bytes((quantise(model) if int8 else model).SerializeToString())


def to_int8_rows(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """[n, e] → int8 [n, e] and the scale of each row [n]."""
    scales = np.abs(table).max(axis=1) / 127 + 1e-12
    return np.round(table / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def to_int4_rows(table: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """[n, e], e even → two numbers a byte [n, e / 2], the first half of a row in the lower four bits, and scales [n].

    For the n-grams' rows: a token's are averaged, and their rounding with them.
    """
    scales = np.abs(table).max(axis=1) / 7 + 1e-12
    numbers = (np.round(table / scales[:, None]) + 8).astype(np.uint8)  # 1..15
    low, high = np.split(numbers, 2, axis=1)
    return low | (high << 4), scales.astype(np.float32)


def without_idle_rows(table: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """[n, e] → the rows that weigh something behind one of zeros [m + 1, e], and the place of each of n among them [n].

    Buckets that no labelled message has, and words that only made-up texts have, are a third of the linear model's rows
    where there are many intents.
    """
    weight = np.abs(table).max(axis=1)
    kept = np.flatnonzero(weight > _IDLE * weight.max(initial=0.0))
    places = np.zeros(len(table), np.int32)
    places[kept] = np.arange(1, len(kept) + 1)
    return np.concatenate([np.zeros_like(table[:1]), table[kept]]), places


def onnx_gates(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """torch stacks the gates input, forget, cell, output; ONNX wants input, output, forget, cell."""
    i, f, g, o = np.split(weight, 4)
    return np.concatenate([i, o, f, g])


def intent_graph(state: dict[str, NDArray[np.float32]], *, hidden: int, width: int = 0) -> onnx.ModelProto:
    """The network after its embeddings (or its encoder) as an ONNX graph; ``width``: of the encoder, 0 without one.

    With an encoder there is an input ``vector`` [b, width], with a steady linear model [b, 2 · width]."""
    steady = "steady.weight" in state
    constants = _constants(state) | {
        "two": np.asarray([2], np.int64),
        "flat": np.asarray([0, 0, 2 * hidden], np.int64),
        "one": np.asarray([1], np.int64),
    }
    nodes = [
        helper.make_node("Transpose", ["x"], ["x_time"], perm=[1, 0, 2]),  # [t, b, e]
        helper.make_node(
            "LSTM", ["x_time", "W", "R", "B", "lengths"], ["y"], hidden_size=hidden, direction="bidirectional"
        ),  # [t, 2, b, h]
        helper.make_node("Transpose", ["y"], ["y_batch"], perm=[2, 0, 1, 3]),  # [b, t, 2, h]
        helper.make_node("Reshape", ["y_batch", "flat"], ["states"]),  # [b, t, 2h]
        helper.make_node("MatMul", ["states", "attend_w"], ["attend_raw"]),
        helper.make_node("Add", ["attend_raw", "attend_b"], ["attend_sum"]),
        helper.make_node("Tanh", ["attend_sum"], ["attend"]),
        helper.make_node("MatMul", ["attend", "score_w"], ["scores"]),  # [b, t, 1]
        helper.make_node("Unsqueeze", ["mask", "two"], ["mask_wide"]),  # [b, t, 1]
        helper.make_node("Add", ["scores", "mask_wide"], ["scores_masked"]),
        helper.make_node("Softmax", ["scores_masked"], ["weights"], axis=1),
        helper.make_node("Mul", ["weights", "states"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "one"], ["attended"], keepdims=0),  # [b, 2h]
        helper.make_node("Add", ["states", "mask_wide"], ["states_masked"]),
        helper.make_node("ReduceMax", ["states_masked"], ["highest"], axes=[1], keepdims=0),  # [b, 2h]
        helper.make_node(
            "Concat", ["attended", "highest", *(["scaled"] if width else [])], ["features"], axis=1
        ),
        helper.make_node("Gemm", ["features", "head_w", "head_b"], ["logits"]),
    ]
    if width:
        constants["scale"] = np.asarray([vector_scale(width)], np.float32)
        constants["plain_w"], constants["plain_b"] = state["plain.weight"].T, state["plain.bias"]
        constants["half"] = np.asarray([0.5], np.float32)
        nodes.insert(0, helper.make_node("Mul", ["own" if steady else "vector", "scale"], ["scaled"]))
        nodes[-1] = helper.make_node("Gemm", ["features", "head_w", "head_b"], ["head_logits"])
        nodes += [
            helper.make_node("Gemm", ["scaled", "plain_w", "plain_b"], ["plain_logits"]),
            helper.make_node("Add", ["head_logits", "plain_logits"], ["logits_sum"]),
            helper.make_node("Mul", ["logits_sum", "half"], ["tuned_logits" if steady else "logits"]),
        ]
    if steady:
        constants["widths"] = np.asarray([width, width], np.int64)
        constants["steady_w"] = state["steady.weight"].T * vector_scale(width)
        constants["steady_b"] = state["steady.bias"]
        nodes.insert(0, helper.make_node("Split", ["vector", "widths"], ["own", "before"], axis=1))
        nodes += [
            # not a Gemm: these would be rounded to eight bits, and the vector's numbers are small
            helper.make_node("MatMul", ["before", "steady_w"], ["steady_raw"]),
            helper.make_node("Add", ["steady_raw", "steady_b"], ["steady_logits"]),
            helper.make_node("Add", ["tuned_logits", "steady_logits"], ["all_sum"]),
            helper.make_node("Mul", ["all_sum", "half"], ["logits"]),
        ]
    wide = width * (2 if steady else 1)
    extra = [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["b", wide])] if width else []
    classes, embedding = state["head.weight"].shape[0], constants["W"].shape[2]
    return _model(
        nodes,
        constants,
        inputs=[
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", "t", embedding]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["b"]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["b", "t"]),
            *extra,
        ],
        outputs=[
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", classes]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["b", 4 * hidden + width]),
        ],
    )


def one_message_graph(state: dict[str, NDArray[np.float32]], *, hidden: int) -> onnx.ModelProto:
    """``intent_graph`` for a batch of one: no transpositions, and what was said before is cut off instead of masked."""
    constants = _constants(state) | {
        "flat": np.asarray([-1, 2 * hidden], np.int64),
        "end": np.asarray([np.iinfo(np.int64).max], np.int64),
        "zero": np.asarray([0], np.int64),
    }
    nodes = [
        helper.make_node("LSTM", ["x", "W", "R", "B"], ["y"], hidden_size=hidden, direction="bidirectional"),
        helper.make_node("Reshape", ["y", "flat"], ["read"]),  # [t, 2h]
        helper.make_node("Slice", ["read", "start", "end", "zero"], ["states"]),  # [m, 2h]
        helper.make_node("MatMul", ["states", "attend_w"], ["attend_raw"]),
        helper.make_node("Add", ["attend_raw", "attend_b"], ["attend_sum"]),
        helper.make_node("Tanh", ["attend_sum"], ["attend"]),
        helper.make_node("MatMul", ["attend", "score_w"], ["scores"]),  # [m, 1]
        helper.make_node("Softmax", ["scores"], ["weights"], axis=0),
        helper.make_node("Gemm", ["weights", "states"], ["attended"], transA=1),  # [1, 2h]
        helper.make_node("ReduceMax", ["states"], ["highest"], axes=[0], keepdims=1),  # [1, 2h]
        helper.make_node("Concat", ["attended", "highest"], ["features"], axis=1),
        helper.make_node("Gemm", ["features", "head_w", "head_b"], ["logits"]),
    ]
    classes, embedding = state["head.weight"].shape[0], constants["W"].shape[2]
    return _model(
        nodes,
        constants,
        inputs=[
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["t", 1, embedding]),
            helper.make_tensor_value_info("start", TensorProto.INT64, [1]),
        ],
        outputs=[helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, classes])],
    )


def _constants(state: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    def both(name: str) -> NDArray[np.float32]:
        return np.stack([onnx_gates(state[f"pooling.{d}.{name}"]) for d in ("forwards", "backwards")])

    return {
        "W": both("weight_ih_l0"),  # [2, 4h, e]
        "R": both("weight_hh_l0"),  # [2, 4h, h]
        "B": np.concatenate([both("bias_ih_l0"), both("bias_hh_l0")], axis=1),  # [2, 8h]
        "attend_w": state["pooling.attend.weight"].T,
        "attend_b": state["pooling.attend.bias"],
        "score_w": state["pooling.attend_score.weight"].T,  # [a, 1]
        "head_w": state["head.weight"].T,
        "head_b": state["head.bias"],
    }


def _model(
    nodes: list[onnx.NodeProto],
    constants: dict[str, NDArray[Any]],
    *,
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    stored = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "intents", inputs, outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 10  # readable by every onnxruntime that pyproject allows
    return model


def quantise(model: onnx.ModelProto) -> onnx.ModelProto:
    """The LSTM and the head in int8, a scale for each output channel; activations are scaled as they come.

    The attention stays in float: its few numbers decide the weights of everything else. Weights take seven bits: eight
    overflow where a processor without VNNI adds two products in 16 bits (onnxruntime, "Quantize ONNX models"), and a
    bundle must say the same wherever it serves.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # the quantiser warns through the root logger that the graph was not pre-processed: it has nothing to fold
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
            source.write_bytes(model.SerializeToString())
            quantize_dynamic(
                source,
                target,
                op_types_to_quantize=["LSTM", "Gemm"],
                per_channel=True,
                reduce_range=True,
                weight_type=QuantType.QInt8,
            )
            return onnx.load(str(target))
    finally:
        root.setLevel(before)
