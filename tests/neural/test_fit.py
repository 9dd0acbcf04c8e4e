from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from chatbot.errors import TrainingError
from chatbot.neural.devices import resolve_device
from chatbot.neural.fit import fit
from chatbot.neural.fit_report import Score
from chatbot.neural.fit_settings import FitSettings
from chatbot.neural.parameters import parameter_groups
from chatbot.neural.schedule import one_cycle


@dataclass
class Points:
    x: torch.Tensor  # [b, 3]
    y: torch.Tensor  # [b]

    @property
    def n_tokens(self) -> int:
        return len(self.y)

    def to(self, device: torch.device) -> Points:
        return Points(self.x.to(device), self.y.to(device))


class Line(nn.Module):
    def __init__(self, *, dropout: float = 0.1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.dropout = nn.Dropout(dropout)
        self.layer = nn.Linear(3, 1)

    def loss(self, batch: Points) -> torch.Tensor:
        return ((self.layer(self.dropout(batch.x)).squeeze(-1) - batch.y) ** 2).mean()


TRUTH = torch.tensor([1.0, -2.0, 0.5])


def points(epoch: int, *, steps: int = 10) -> list[Points]:
    generator = torch.Generator().manual_seed(epoch)
    xs = torch.randn(steps, 16, 3, generator=generator)
    return [Points(x, x @ TRUTH) for x in xs]


def validation(model: Line):
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(99))

    @torch.no_grad()
    def score() -> Score:
        assert not model.training
        return Score(
            "error", float(((model.layer(x).squeeze(-1) - x @ TRUTH) ** 2).mean()), higher_is_better=False
        )

    return score


def train(model: Line, settings: FitSettings, **options):
    return fit(model, points, 10, validation(model), settings, device="cpu", **options)


def test_a_line_is_learned_and_the_best_weights_are_kept():
    model = Line(dropout=0.0)
    result = train(model, FitSettings(epochs=12, learning_rate=0.1, weight_decay=0))
    assert result.best.value < 1e-3
    assert result.stopped == "finished"
    assert result.steps == 120
    assert validation(model)().value == pytest.approx(result.best.value)
    assert not model.training


def test_the_same_seed_gives_the_same_weights():
    first, second = Line(), Line()
    train(first, FitSettings(epochs=2))
    train(second, FitSettings(epochs=2))
    assert torch.equal(first.layer.weight, second.layer.weight)


@pytest.mark.parametrize(("ema", "validate_every"), [(0.0, 0), (0.9, 0), (0.9, 7)])
def test_an_interrupted_run_resumes_to_exactly_the_same_weights(
    tmp_path: Path, ema: float, validate_every: int
):
    settings = FitSettings(epochs=4, ema=ema, validate_every=validate_every)
    whole = Line()
    expected = train(whole, settings)

    class Killed(Exception):
        pass

    def kill(step) -> None:
        if step.step >= 25:
            raise Killed

    broken = Line()
    with pytest.raises(Killed):
        train(broken, settings, checkpoint_dir=tmp_path, progress=kill)
    resumed = Line()
    result = train(resumed, settings, checkpoint_dir=tmp_path)
    assert torch.equal(resumed.layer.weight, whole.layer.weight)
    assert [v.score.value for v in result.history] == [v.score.value for v in expected.history]
    assert [v.step for v in result.history] == [v.step for v in expected.history]


def test_only_the_best_and_the_latest_step_files_stay_and_pointers_name_them(tmp_path: Path):
    train(Line(), FitSettings(epochs=5), checkpoint_dir=tmp_path)
    latest = (tmp_path / "latest").read_text()
    best = (tmp_path / "best").read_text()
    assert latest == "step-00000050"
    assert {path.name for path in tmp_path.glob("step-*.json")} == {f"{latest}.json", f"{best}.json"}
    assert json.loads((tmp_path / f"{latest}.json").read_text())["step"] == 50


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path):
    train(Line(), FitSettings(epochs=1), checkpoint_dir=tmp_path)
    other = Line()
    other.layer = nn.Linear(4, 1)
    with pytest.raises(TrainingError, match="another model"):
        train(other, FitSettings(epochs=1), checkpoint_dir=tmp_path)


def test_training_stops_when_validation_no_longer_improves():
    scores = iter([0.5, 0.6, 0.6, 0.6, 0.9])
    model = Line()
    result = fit(
        model,
        points,
        10,
        lambda: Score("accuracy", next(scores)),
        FitSettings(epochs=5, patience=2),
        device="cpu",
    )
    assert result.stopped == "patience"
    assert result.best.value == 0.6
    assert result.best_step == 20


def test_a_time_budget_shortens_the_schedule_and_still_anneals(monkeypatch: pytest.MonkeyPatch):
    clock = iter(range(10**9))
    monkeypatch.setattr("chatbot.neural.fit.time.monotonic", lambda: float(next(clock)))
    model = Line()
    result = train(model, FitSettings(epochs=100, learning_rate=0.1, budget_seconds=200))
    assert result.stopped == "budget"
    assert result.steps < 200
    assert result.planned == 1000
    assert result.best.value < 0.1


def test_processes_that_train_together_shorten_by_the_first_ones_budget(monkeypatch: pytest.MonkeyPatch):
    """Each has measured by itself what its preparation took; with budgets of their own one would wait for ever."""
    clock = iter(range(10**9))
    monkeypatch.setattr("chatbot.neural.fit.time.monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(
        "chatbot.neural.together.agreed", lambda value, device: 200.0 if value == 10_000 else value
    )
    result = train(Line(), FitSettings(epochs=100, learning_rate=0.1, budget_seconds=10_000))
    assert result.stopped == "budget" and result.steps < 200


def test_a_slow_beginning_does_not_cost_the_rest_of_the_budget(monkeypatch: pytest.MonkeyPatch):
    now = [0.0]

    def clock() -> float:
        return now[0]

    model = Line()

    def slow_first(epoch: int) -> list[Points]:
        now[0] += 40.0 if epoch == 0 else 0.0  # the first batches are being prepared
        return points(epoch)

    def loss(batch: Points) -> torch.Tensor:
        now[0] += 1.0
        return Line.loss(model, batch)

    monkeypatch.setattr("chatbot.neural.fit.time.monotonic", clock)
    monkeypatch.setattr(model, "loss", loss, raising=False)
    settings = FitSettings(epochs=30, learning_rate=0.1, budget_seconds=200)
    result = fit(model, slow_first, 10, validation(model), settings, device="cpu")
    assert result.stopped == "budget"
    assert 150 <= result.steps <= 160  # of 60 at the pace of the first 20


def test_a_loss_that_is_no_number_ends_the_training_with_a_clear_error():
    def poisoned(epoch: int) -> list[Points]:
        return [Points(batch.x * float("nan"), batch.y) for batch in points(epoch)]

    model = Line()
    with pytest.raises(TrainingError, match="no longer a number"):
        fit(model, poisoned, 10, validation(model), FitSettings(epochs=1), device="cpu")


def test_no_batches_is_an_error():
    model = Line()
    with pytest.raises(TrainingError, match="no batches"):
        fit(model, lambda epoch: [], 10, validation(model), FitSettings(epochs=1), device="cpu")


def test_the_learning_rate_rises_and_falls_once():
    factors = [one_cycle(step / 100, 0.2) for step in range(101)]
    assert factors.index(max(factors)) == 20
    assert factors[0] == pytest.approx(0.04)
    assert factors[-1] == pytest.approx(1e-4)
    assert factors[:21] == sorted(factors[:21])
    assert factors[20:] == sorted(factors[20:], reverse=True)


def test_embeddings_and_biases_are_not_decayed():
    model = nn.ModuleDict({"embedding": nn.Embedding(5, 2), "layer": nn.Linear(2, 3)})
    decayed, plain = parameter_groups(model, FitSettings(weight_decay=0.3))
    assert [p.shape for p in decayed["params"]] == [(3, 2)]
    assert {tuple(p.shape) for p in plain["params"]} == {(5, 2), (3,)}
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.3, 0.0)


def test_settings_out_of_range_quote_the_value():
    with pytest.raises(TrainingError) as error:
        FitSettings(epochs=0)
    assert error.value.field == "epochs"
    assert error.value.value == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is at hand")
def test_a_gpu_that_is_not_there_is_refused():
    assert resolve_device("auto") == torch.device("cpu")
    with pytest.raises(TrainingError, match="CUDA"):
        resolve_device("cuda")
