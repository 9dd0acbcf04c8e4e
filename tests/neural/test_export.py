from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.numpy import load_file

from chatbot.inference.classify import int4_rows
from chatbot.neural.batches import mask_of
from chatbot.neural.export import (
    export_intents,
    to_int4_rows,
    to_int8_rows,
    without_idle_rows,
)
from chatbot.neural.intent_classifier import IntentConfig, IntentNetwork


def network(embedding: int = 16) -> IntentNetwork:
    torch.manual_seed(5)
    return IntentNetwork(
        IntentConfig(words=20, classes=4, buckets=32, embedding=embedding, hidden=8, attention=6)
    ).eval()


def served(folder: Path, x: torch.Tensor, lengths: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    mask = np.where(mask_of(lengths, x.shape[1]).numpy(), 0, -1e9).astype(np.float32)
    return session.run(["logits"], {"x": x.numpy(), "lengths": lengths.int().numpy(), "mask": mask})[0]


@torch.no_grad()
def trained(model: IntentNetwork, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return model.head(model.pooling(x, lengths, torch.zeros_like(lengths)))


@pytest.mark.parametrize(("int8", "tolerance"), [(False, 1e-5), (True, 0.03)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 9)])
def test_the_graph_says_what_the_network_says(
    tmp_path: Path, int8: bool, tolerance: float, shape: tuple[int, int]
):
    model = network()
    export_intents(model, tmp_path, int8=int8)
    x = torch.randn(*shape, 16, generator=torch.Generator().manual_seed(1))
    lengths = torch.randint(1, shape[1] + 1, (shape[0],), generator=torch.Generator().manual_seed(2))
    assert np.allclose(served(tmp_path, x, lengths), trained(model, x, lengths).numpy(), atol=tolerance)


def test_the_trained_weights_are_kept_beside_the_served_form(tmp_path: Path):
    model = network()
    export_intents(model, tmp_path)
    weights = load_file(tmp_path / "weights.safetensors")
    assert set(weights) == set(model.state_dict())
    assert np.array_equal(weights["head.bias"], model.head.bias.detach().numpy())


@pytest.mark.parametrize(("embedding", "kind"), [(16, np.uint8), (15, np.int8)])
def test_vectors_of_an_odd_width_stay_a_byte_a_number(tmp_path: Path, embedding: int, kind: type):
    export_intents(network(embedding), tmp_path)
    assert load_file(tmp_path / "embeddings.safetensors")["grams"].dtype == kind


def test_int8_rows_keep_each_row_within_half_a_step():
    table = np.random.default_rng(0).normal(size=(6, 10)).astype(np.float32) * np.arange(1, 7)[:, None]
    rows, scales = to_int8_rows(table.astype(np.float32))
    assert rows.dtype == np.int8
    assert np.all(np.abs(rows * scales[:, None] - table) <= scales[:, None] / 2 + 1e-6)


def test_int4_rows_keep_each_row_within_half_a_step():
    table = np.random.default_rng(0).normal(size=(6, 10)).astype(np.float32) * np.arange(1, 7)[:, None]
    packed, scales = to_int4_rows(table.astype(np.float32))
    assert (packed.dtype, packed.shape) == (np.uint8, (6, 5))
    rows = int4_rows(packed)
    assert np.all(np.abs(rows * scales[:, None] - table) <= scales[:, None] / 2 + 1e-6)


def test_rows_without_weight_are_left_out_and_read_as_zeros():
    table = np.zeros((5, 3), np.float32)
    table[1], table[3] = [1, -2, 0.5], 1e-6
    table[4, 0] = 0.25
    rows, places = without_idle_rows(table)
    assert rows.shape == (3, 3)
    assert np.array_equal(places, [0, 1, 0, 0, 2])
    assert np.allclose(rows[places], table, atol=1e-5)
    nothing, nowhere = without_idle_rows(np.zeros((2, 3), np.float32))
    assert np.array_equal(nothing[nowhere], np.zeros((2, 3)))
