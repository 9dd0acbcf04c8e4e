"""A trained response generator → the two graphs it serves from: the encoder, and one decoder step.

Both graphs are written operator by operator (a traced export takes longer than the demo's training has), with free
numbers of beams and source pieces, and quantised to int8. ``chatbot.inference.generate`` runs them.

encoder.onnx  ``source`` int64 [1, s], ``intent`` int64 [1]
              → ``values`` [s, 2e], ``keys`` [d, s], ``hidden`` [1, d], ``cell`` [1, d]
step.onnx     ``fed``, ``next`` int64 [b], ``hidden``, ``cell`` [b, d], ``runs``, ``covered`` [b, s], ``source``
              int64 [1, s], ``values``, ``keys``
              → ``scores``, ``ids`` [b, best] (log-probabilities of the best pieces), ``chosen`` [b] (that of
              ``next``), ``copied`` [b] (share of probability that comes from copying), and the four states for the
              next step
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from chatbot.neural.export import onnx_gates, quantise, to_int8_rows
from chatbot.neural.pointer import LONGEST_RUN
from chatbot.neural.response_generator import ResponseGeneratorNetwork

ENCODER_FILE = "encoder.onnx"
STEP_FILE = "step.onnx"
WEIGHTS_FILE = "weights.safetensors"
BEST_PIECES = 16

_OPSET = 18
_State = Mapping[str, NDArray[np.float32]]


def export_generator(network: ResponseGeneratorNetwork, folder: Path, *, int8: bool = True) -> None:
    """Write encoder.onnx and step.onnx (served) and weights.safetensors (trained) into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().float().numpy() for name, value in network.state_dict().items()}
    save_file({name: np.ascontiguousarray(value) for name, value in state.items()}, folder / WEIGHTS_FILE)
    best = min(BEST_PIECES, network.config.vocabulary)
    for name, model in ((ENCODER_FILE, encoder_graph(state)), (STEP_FILE, step_graph(state, best=best))):
        onnx.checker.check_model(model)
        (folder / name).write_bytes((quantise(model) if int8 else model).SerializeToString())


def encoder_graph(state: _State) -> onnx.ModelProto:
    """Embedding, bidirectional LSTM, pooling, the decoder's start and the keys of the attention."""
    units = state["encoder.weight_hh_l0"].shape[1]
    scale = state["attention.key.weight"].shape[0] ** -0.5
    graph = _Graph()
    graph.add("Squeeze", ["source", graph.constant("axis0", np.array([0]))], "source_row")
    _bidirectional(graph, state, graph.embedding(state, "source_row"))
    graph.linear("pooled", state["start_hidden.weight"], state["start_hidden.bias"], "hidden_sum")
    graph.add("Gather", [graph.constant("intents", state["intent_embedding.weight"]), "intent"], "intent_row")
    graph.add("Add", ["hidden_sum", "intent_row"], "hidden_in")
    graph.add("Tanh", ["hidden_in"], "hidden")
    graph.linear("pooled", state["start_cell.weight"], state["start_cell.bias"], "cell")
    graph.linear("values", state["attention.key.weight"] * scale, None, "keys_rows")  # [s, d]
    graph.add("Transpose", ["keys_rows"], "keys", perm=[1, 0])
    return graph.model(
        "reply_encoder",
        inputs=[("source", TensorProto.INT64, [1, "s"]), ("intent", TensorProto.INT64, [1])],
        outputs=[
            ("values", TensorProto.FLOAT, ["s", 2 * units]),
            ("keys", TensorProto.FLOAT, [state["attention.key.weight"].shape[0], "s"]),
            ("hidden", TensorProto.FLOAT, [1, state["start_hidden.weight"].shape[0]]),
            ("cell", TensorProto.FLOAT, [1, state["start_hidden.weight"].shape[0]]),
        ],
    )


def step_graph(state: _State, *, best: int) -> onnx.ModelProto:
    """``chatbot.neural.response_generator.DecoderStep`` for beams that share their sources."""
    units = state["decoder.weight_hh_l0"].shape[1]
    wide = state["attention.key.weight"].shape[1]
    graph = _Graph()
    embedded = graph.embedding(state, "fed")  # [b, e]
    zero, one, two = (graph.constant(name, np.array(value, np.float32)) for name, value in
                      (("zero", 0.0), ("one", 1.0), ("two", 2.0)))  # fmt: skip
    last = graph.constant("last", np.array([1]))

    # the LSTM's gates: input, forget, candidate, output
    graph.add("Concat", [embedded, "hidden"], "x", axis=1)  # [b, e + d]
    weights = np.concatenate([state["decoder.weight_ih_l0"], state["decoder.weight_hh_l0"]], axis=1)
    graph.linear("x", weights, state["decoder.bias_ih_l0"] + state["decoder.bias_hh_l0"], "gates")
    graph.split("gates", ("in_raw", "forget_raw", "candidate_raw", "out_raw"), axis=1)
    for name in ("in", "forget", "out"):
        graph.add("Sigmoid", [f"{name}_raw"], f"{name}_gate")
    graph.add("Tanh", ["candidate_raw"], "candidate")
    graph.add("Mul", ["forget_gate", "cell"], "kept")
    graph.add("Mul", ["in_gate", "candidate"], "added")
    graph.add("Add", ["kept", "added"], "next_cell")
    graph.add("Tanh", ["next_cell"], "cell_out")
    graph.add("Mul", ["out_gate", "cell_out"], "next_hidden")  # [b, d]

    # runs and coverage: chatbot.neural.pointer.next_runs
    shift_right, shift_left = (
        graph.constant("right", np.array([0, 1, 0, -1])),
        graph.constant("left", np.array([0, -1, 0, 1])),
    )
    graph.add("Pad", ["source", shift_right, graph.constant("no_piece", np.array(-1))], "before")  # [1, s]
    graph.add("Unsqueeze", ["fed", last], "fed_column")
    graph.add("Equal", ["before", "fed_column"], "same")  # [b, s]
    graph.add("Pad", ["runs", shift_right, zero], "runs_before")
    graph.add("Add", ["runs_before", one], "runs_longer")
    graph.add("Min", ["runs_longer", graph.constant("cap", np.array(LONGEST_RUN, np.float32))], "runs_capped")
    graph.add("Where", ["same", "runs_capped", zero], "next_runs")
    graph.add("GreaterOrEqual", ["next_runs", two], "running")
    graph.add("Cast", ["running"], "running_float", to=TensorProto.FLOAT)
    graph.add("Pad", ["running_float", shift_left, zero], "written_now")
    graph.add("Max", ["covered", "written_now"], "next_covered")

    # attention: the run's weights are summed up to each length, so that a look-up by length replaces a sum
    habit_weight, habit_bias = state["attention.habits.weight"], state["attention.habits.bias"]
    summed = np.tril(np.ones((LONGEST_RUN + 1, LONGEST_RUN), np.float32), -1)  # [length, weights below it]
    graph.product("next_hidden", summed @ habit_weight[:LONGEST_RUN], "by_length_raw")
    graph.add(
        "Add",
        ["by_length_raw", graph.constant("length_bias", summed @ habit_bias[:LONGEST_RUN])],
        "by_length",
    )
    graph.product("next_hidden", habit_weight[LONGEST_RUN : LONGEST_RUN + 1], "by_cover_raw")
    graph.add(
        "Add",
        ["by_cover_raw", graph.constant("cover_bias", habit_bias[LONGEST_RUN : LONGEST_RUN + 1])],
        "by_cover",
    )
    # sentence starts: chatbot.neural.pointer.sentence_starts
    graph.product("next_hidden", habit_weight[LONGEST_RUN + 1 :], "by_start_raw")
    graph.add(
        "Add", ["by_start_raw", graph.constant("start_bias", habit_bias[LONGEST_RUN + 1 :])], "by_start"
    )
    ends = graph.constant("ends", state["ends"])
    graph.add("Gather", [ends, "source"], "source_ends")  # [1, s]
    graph.add("Pad", ["source_ends", shift_right, two], "ends_before")
    graph.add("Gather", [graph.constant("opens", state["opens"]), "source"], "source_opens")
    graph.add("Add", ["ends_before", "source_opens"], "start_sum")
    graph.add("GreaterOrEqual", ["start_sum", two], "is_start")
    graph.add("Cast", ["is_start"], "source_starts", to=TensorProto.FLOAT)
    graph.add("Gather", [ends, "fed_column"], "fed_ends")  # [b, 1]
    graph.add("GreaterOrEqual", ["fed_ends", one], "begins")
    graph.add("Cast", ["begins"], "begins_float", to=TensorProto.FLOAT)
    graph.add("Mul", ["begins_float", "by_start"], "start_weight")
    graph.add("Mul", ["start_weight", "source_starts"], "start_score")  # [b, s]
    graph.add("MatMul", ["next_hidden", "keys"], "fit")  # [b, s]
    graph.add("Cast", ["next_runs"], "run_index", to=TensorProto.INT64)
    graph.add("GatherElements", ["by_length", "run_index"], "run_score", axis=1)
    graph.add("Mul", ["by_cover", "next_covered"], "cover_score")
    graph.add("Add", ["fit", "run_score"], "fit_and_run")
    graph.add("Add", ["fit_and_run", "cover_score"], "fit_run_cover")
    graph.add("Add", ["fit_run_cover", "start_score"], "attention_raw")
    graph.add("Softmax", ["attention_raw"], "attention", axis=1)
    graph.add("MatMul", ["attention", "values"], "context")  # [b, 2e]
    graph.add("Mul", ["attention", "running_float"], "running_attention")
    graph.add("ReduceSum", ["running_attention", last], "going_on", keepdims=1)  # [b, 1]

    # the mixture
    graph.add("Concat", ["next_hidden", "context"], "both", axis=1)
    graph.add("Concat", ["both", embedded, "going_on"], "gate_in", axis=1)
    graph.product("gate_in", state["gate.weight"], "gate_raw")
    graph.add("Add", ["gate_raw", graph.constant("gate_bias", state["gate.bias"])], "gate_sum")
    graph.add("Sigmoid", ["gate_sum"], "write")  # [b, 1]
    graph.add("Sub", [one, "write"], "copy")
    graph.linear("both", state["combine.weight"], state["combine.bias"], "combined_raw")
    graph.add("Tanh", ["combined_raw"], "combined")  # [b, e]
    graph.linear("combined", state["embedding.weight"], state["output_bias"], "logits")  # [b, vocabulary]
    graph.add("Softmax", ["logits"], "vocabulary", axis=1)
    graph.add("Mul", ["vocabulary", "write"], "written")
    graph.add("Mul", ["attention", "copy"], "copies")
    graph.add("Shape", ["copies"], "copies_shape")
    graph.add("Expand", ["source", "copies_shape"], "places")
    graph.add("ScatterElements", ["written", "places", "copies"], "pieces", axis=1, reduction="add")
    graph.add("Max", ["pieces", graph.constant("tiny", np.array(1e-12, np.float32))], "pieces_safe")
    graph.add(
        "TopK", ["pieces_safe", graph.constant("best", np.array([best]))], ("best_pieces", "ids"), axis=1
    )
    graph.add("Log", ["best_pieces"], "scores")
    graph.add("Unsqueeze", ["next", last], "next_column")
    graph.add("GatherElements", ["pieces_safe", "next_column"], "chosen_piece", axis=1)
    graph.add("Log", ["chosen_piece"], "chosen_column")
    graph.add("Squeeze", ["chosen_column", last], "chosen")
    graph.add("Squeeze", ["copy", last], "copied")
    return graph.model(
        "reply_step",
        inputs=[
            ("fed", TensorProto.INT64, ["b"]),
            ("next", TensorProto.INT64, ["b"]),
            ("hidden", TensorProto.FLOAT, ["b", units]),
            ("cell", TensorProto.FLOAT, ["b", units]),
            ("runs", TensorProto.FLOAT, ["b", "s"]),
            ("covered", TensorProto.FLOAT, ["b", "s"]),
            ("source", TensorProto.INT64, [1, "s"]),
            ("values", TensorProto.FLOAT, ["s", wide]),
            ("keys", TensorProto.FLOAT, [units, "s"]),
        ],
        outputs=[
            ("scores", TensorProto.FLOAT, ["b", best]),
            ("ids", TensorProto.INT64, ["b", best]),
            ("chosen", TensorProto.FLOAT, ["b"]),
            ("copied", TensorProto.FLOAT, ["b"]),
            ("next_hidden", TensorProto.FLOAT, ["b", units]),
            ("next_cell", TensorProto.FLOAT, ["b", units]),
            ("next_runs", TensorProto.FLOAT, ["b", "s"]),
            ("next_covered", TensorProto.FLOAT, ["b", "s"]),
        ],
    )


def tower_graph(state: _State, *, prefix: str) -> onnx.ModelProto:
    """One tower of ``chatbot.neural.answer_ranker``: ``source`` int64 [1, s] → ``vector`` [1, dimension]."""
    own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    graph = _Graph()
    graph.add("Squeeze", ["source", graph.constant("axis0", np.array([0]))], "source_row")
    embedded, pooled = graph.embedding(own, "source_row"), "pooled"
    _bidirectional(graph, own, embedded)
    of_states = 4 * own["encoder.weight_hh_l0"].shape[1]
    if own["project.weight"].shape[1] > of_states:  # the words beside them
        root = np.array(own["embedding.weight"].shape[1] ** 0.5, dtype=np.float32)
        graph.add("ReduceMean", [embedded, graph.constant("axis0", np.array([0]))], "word_mean", keepdims=1)
        graph.add("Mul", ["word_mean", graph.constant("root", root)], "words")
        graph.add("Concat", ["pooled", "words"], "pooled_words", axis=1)
        pooled = "pooled_words"
    graph.linear(pooled, own["project.weight"], own["project.bias"], "projected")
    graph.add("ReduceL2", ["projected", graph.constant("axis1", np.array([1]))], "length", keepdims=1)
    graph.add("Div", ["projected", "length"], "vector")
    return graph.model(
        "answer_ranker",
        inputs=[("source", TensorProto.INT64, [1, "s"])],
        outputs=[("vector", TensorProto.FLOAT, [1, own["project.weight"].shape[0]])],
    )


def _bidirectional(graph: _Graph, state: _State, embedded: str) -> None:
    """The encoder over embedded pieces [s, e] → ``values`` [s, 2h] and ``pooled`` [1, 4h]: mean and maximum."""
    units = state["encoder.weight_hh_l0"].shape[1]

    def both(name: str) -> NDArray[np.float32]:
        directions = (state[f"encoder.{name}"], state[f"encoder.{name}_reverse"])
        return np.stack([onnx_gates(value) for value in directions])

    axis0 = graph.constant("axis0", np.array([0]))
    graph.add("Unsqueeze", [embedded, graph.constant("axis1", np.array([1]))], "time")  # [s, 1, e]
    graph.add(
        "LSTM",
        [
            "time",
            graph.constant("W", both("weight_ih_l0")),  # [2, 4h, e]
            graph.constant("R", both("weight_hh_l0")),  # [2, 4h, h]
            graph.constant("B", np.concatenate([both("bias_ih_l0"), both("bias_hh_l0")], axis=1)),  # [2, 8h]
        ],
        "y",
        hidden_size=units,
        direction="bidirectional",
    )  # [s, 2, 1, h]
    graph.add("Reshape", ["y", graph.constant("flat", np.array([-1, 2 * units]))], "values")  # [s, 2h]
    graph.add("ReduceMean", ["values", axis0], "mean", keepdims=1)
    graph.add("ReduceMax", ["values", axis0], "highest", keepdims=1)
    graph.add("Concat", ["mean", "highest"], "pooled", axis=1)  # [1, 4h]


@dataclass
class _Graph:
    """Nodes and constants in the order they are added."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def add(self, op: str, inputs: Sequence[str], outputs: str | tuple[str, ...], **attributes: Any) -> None:
        named = [outputs] if isinstance(outputs, str) else list(outputs)
        self.nodes.append(helper.make_node(op, list(inputs), named, **attributes))

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def split(self, name: str, parts: tuple[str, ...], *, axis: int) -> None:
        self.add("Split", [name], parts, axis=axis, num_outputs=len(parts))

    def linear(
        self, name: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None, out: str
    ) -> None:
        """Gemm, which the quantiser takes. weight: [out, in], as torch keeps it."""
        inputs = [name, self.constant(f"{out}_weight", weight.T)]
        if bias is not None:
            inputs.append(self.constant(f"{out}_bias", bias))
        self.add("Gemm", inputs, out)

    def product(self, name: str, weight: NDArray[np.float32], out: str) -> None:
        """MatMul, which stays in float: small, and it decides much."""
        self.add("MatMul", [name, self.constant(f"{out}_weight", weight.T)], out)

    def embedding(self, state: _State, ids: str) -> str:
        """Rows of the embedding, kept as int8 with a scale a row: [n] → [n, embedding]."""
        rows, scales = to_int8_rows(state["embedding.weight"])
        self.add("Gather", [self.constant("rows", rows), ids], "rows_int8")
        self.add("Cast", ["rows_int8"], "rows_float", to=TensorProto.FLOAT)
        self.add("Gather", [self.constant("row_scales", scales[:, None]), ids], "scales")
        self.add("Mul", ["rows_float", "scales"], "embedded")
        return "embedded"

    def model(
        self,
        name: str,
        *,
        inputs: Sequence[tuple[str, int, Sequence[int | str]]],
        outputs: Sequence[tuple[str, int, Sequence[int | str]]],
    ) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            name,
            inputs=[helper.make_tensor_value_info(*value) for value in inputs],
            outputs=[helper.make_tensor_value_info(*value) for value in outputs],
            initializer=list(self.constants.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
        model.ir_version = 10  # readable by every onnxruntime that pyproject allows
        return model
