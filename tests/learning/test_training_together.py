"""Two processes that train together (gloo, as torchrun starts them) make the model that one process makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

ROOT = Path(__file__).resolve().parent.parent.parent
WORDS = {
    "refund": ("i want my money back", "refund my payment", "give me a refund", "退款", "把钱退给我"),
    "tracking": ("where is my parcel", "track my package", "parcel status", "查一下快递", "我的包裹到哪了"),
}
TRAIN = """
import json, sys
from pathlib import Path
import torch
from chatbot.learning.classifier_data import Recipe
from chatbot.learning.classifier_training import train_classifier
from chatbot.neural import together

out, rows, alone = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text("utf-8")), sys.argv[3] == "alone"
torch.set_num_threads(1)
recipe = Recipe(steps=60, least_epochs=2, embedding=16, hidden=12, buckets=256, batch_size=12, encoder_vectors=False)
if alone:
    together.batches_a_step = lambda: 2  # what two processes take, one after the other
with together.joined("cpu") as group:
    assert group.size == (1 if alone else 2)
    train_classifier(rows, out / f"rank{group.rank}", languages=["en", "zh"], device="cpu", recipe=recipe)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, np.ndarray]]:
    """Weights by who made them."""
    folder = tmp_path_factory.mktemp("together")
    rows = [
        {
            "text": f"{text} {number}",
            "intent": intent,
            "lang": "en" if text.isascii() else "zh",
            "context": [],
            "split": "valid" if number == 0 else "train",
            "group": f"{intent}{number}{text}",
        }
        for intent, texts in WORDS.items()
        for number in range(7)
        for text in texts
    ]
    (folder / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "train.py").write_text(TRAIN, encoding="utf-8")
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    running = [
        subprocess.Popen(
            [
                sys.executable,
                *launcher,
                str(folder / "train.py"),
                str(folder / name),
                str(folder / "rows.json"),
                name,
            ],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, launcher in (("alone", []), ("pair", torchrun))
    ]
    for process in running:
        said, _ = process.communicate(timeout=240)
        assert process.returncode == 0, said
    return {
        f"{who} {rank}": load_file(folder / who / rank / "weights.safetensors")
        for who, rank in (("alone", "rank0"), ("pair", "rank0"), ("pair", "rank1"))
    }


def test_both_processes_end_with_the_same_model(trained: dict[str, dict[str, np.ndarray]]) -> None:
    first, second = trained["pair rank0"], trained["pair rank1"]
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_it_is_the_model_of_one_process_that_takes_as_many_batches_a_step(
    trained: dict[str, dict[str, np.ndarray]],
) -> None:
    """Dropout included; only the order of additions differs."""
    alone, pair = trained["alone rank0"], trained["pair rank0"]
    assert alone.keys() == pair.keys()
    for name, weights in alone.items():
        np.testing.assert_allclose(pair[name], weights, rtol=1e-3, atol=1e-4, err_msg=name)
