"""Which recipe suits a company's own messages: a search over the fast tier's hyper-parameters.

Tree-structured Parzen estimation (Bergstra et al. 2011, "Algorithms for hyper-parameter optimization", section 4)
with optuna. The defaults are the first trial, and what is found must beat them on the validation messages, in the
form that serves, by more than two trainings of one recipe differ; otherwise the defaults stay.
"""

from __future__ import annotations

import json
import logging
import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from chatbot.errors import InputError, TrainingError
from chatbot.learning.classifier_data import OUT_OF_SCOPE, Recipe
from chatbot.learning.classifier_training import train_classifier
from chatbot.learning.time_plan import cut_in_words

log = logging.getLogger(__name__)

RECIPE_FILE = "recipe.json"  # in the data folder; a retraining takes it from there
_RANGES: dict[str, tuple[float, float]] = {  # least and most of what a training can work with
    "batch_size": (1, 4096),
    "steps": (1, 1_000_000),
    "least_epochs": (1, 1000),
    "most_epochs": (1, 1000),
    "learning_rate": (1e-6, 1),
    "ema": (0, 0.9999),
    "outlier_share": (0, 10),
    "context_dropout": (0, 1),
    "embedding": (2, 4096),
    "hidden": (1, 4096),
    "buckets": (1, 1 << 22),
    "dropout": (0, 0.95),
    "embedding_dropout": (0, 0.95),
    "untaught_dropout": (0, 0.95),
    "untaught_embedding_dropout": (0, 0.95),
    "label_smoothing": (0, 0.9),
    "context_tokens": (0, 512),
    "augmented": (0, 1_000_000),
    "lessons_share": (0, 100),
}
_TRAININGS = 4  # in the least time: the defaults twice, one recipe, and as much again for what no budget cuts
_SLOWEST = 3.0  # times the defaults' seconds; slower recipes lose, however accurate


@dataclass(frozen=True, slots=True)
class Trial:
    """One training: what was changed against the defaults, and what came of it (shares 0..1)."""

    changed: dict[str, Any]
    accuracy: float
    calibration_error: float
    outside_auroc: float
    seconds: float

    @property
    def value(self) -> float:
        """Accuracy; then how well the outside is told apart; both in points."""
        outside = 0.0 if math.isnan(self.outside_auroc) else self.outside_auroc
        return 100 * self.accuracy + 10 * outside


@dataclass(frozen=True, slots=True)
class Found:
    """``recipe`` is the defaults where nothing beat them clearly. ``trials``: in the order they were run."""

    recipe: Recipe
    better: bool
    gain: float  # points of ``Trial.value`` over the defaults
    needed: float
    trials: tuple[Trial, ...]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "trials": [asdict(trial) for trial in self.trials]}


def search_recipe(
    rows: Sequence[Mapping[str, Any]],
    *,
    languages: Sequence[str],
    trials: int = 20,
    seconds: float | None = None,
    seed: int = 13,
    device: str = "auto",
    start: Recipe | None = None,
    progress: Callable[[float], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Train ``trials`` recipes on rows of examples.jsonl and name the best; fewer where the next would not end within
    ``seconds``, which hold for all of it, the defaults among them.

    The test part is never read. Raises InputError where optuna is missing, there is no validation part to choose on,
    or ``seconds`` are not enough for the defaults twice and one recipe.
    """
    try:
        import optuna
    except ImportError as error:
        raise InputError(
            "The search needs optuna", field="extra", value="tune", remedy="pip install 'frontdesk[tune]'"
        ) from error
    n_valid = sum(row.get("split") == "valid" and bool(row.get("intent")) for row in rows)
    if n_valid < 50:
        raise InputError(
            "There are too few validation messages to choose a recipe on",
            field="valid",
            value=n_valid,
            remedy="Label at least 50 messages of the validation part",
        )
    trained = _intents(rows, "train")
    if trained.isdisjoint(chosen_on := _intents(rows, "valid")):
        raise InputError(
            "No intent of the validation messages occurs in the training messages",
            field="valid",
            value=", ".join(sorted(chosen_on)[:5]),
            remedy="Give both parts the same intents",
        )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    start = start or Recipe()
    trainings = _Trainings(
        rows, languages, device, start, None if seconds is None else clock() + seconds, clock
    )
    if progress:
        progress(0.0)
    first = trainings.run({}, seed, budget=None if seconds is None else seconds / _TRAININGS)
    if trainings.left < 2 * trainings.longest:
        raise InputError(
            "The time is too short to compare recipes",
            field="minutes",
            value=f"{(seconds or 0) / 60:g}",
            remedy=f"One training takes {trainings.longest:.0f} s here: "
            f"try --minutes {math.ceil(_TRAININGS * trainings.longest / 60)} or more",
        )
    again = trainings.run({}, seed + 1, budget=trainings.most)  # how much two trainings of one recipe differ
    noise = max(abs(first.value - again.value), 100 * math.sqrt(0.05 / n_valid))
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    done = [first]
    for number in range(1, trials):
        if progress:
            elapsed = 0.0 if seconds is None else 1 - trainings.left / seconds
            progress(min(1.0, max(number / trials, elapsed)))
        if trainings.left < trainings.longest:
            break
        asked = study.ask()
        try:
            done.append(trainings.run(_suggest(asked, start), seed, budget=trainings.most))
        except TrainingError as error:
            log.info("a recipe cannot be trained: %s", error.one_line())
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
            continue
        study.tell(asked, done[-1].value)
    if progress:
        progress(1.0)
    best = max(done, key=lambda trial: trial.value)
    gain = best.value - (first.value + again.value) / 2
    better = bool(best.changed) and gain > noise
    log.info("best of %d recipes: %+.2f points over the defaults (%.2f needed)", len(done), gain, noise)
    return Found(replace(start, **best.changed) if better else start, better, gain, noise, tuple(done))


@dataclass
class _Trainings:
    """Trainings one after the other until ``ends_at`` (by ``clock``; None: no end). All may take equally long: what
    the clock cuts of the defaults it must not leave to others."""

    rows: Sequence[Mapping[str, Any]]
    languages: Sequence[str]
    device: str
    start: Recipe
    ends_at: float | None
    clock: Callable[[], float]
    most: float | None = None  # seconds for the preparation and the steps of one
    longest: float = 0.0  # that the defaults took, with what no budget cuts
    uncut: float = 0.0  # of these, outside the steps

    @property
    def left(self) -> float:
        return math.inf if self.ends_at is None else self.ends_at - self.clock()

    def run(self, changed: dict[str, Any], seed: int, *, budget: float | None) -> Trial:
        began = self.clock()
        if changed and self.ends_at is not None:
            within = self.left - self.uncut
            budget = within if budget is None else min(budget, within)
        with tempfile.TemporaryDirectory() as folder:
            report = train_classifier(
                self.rows,
                Path(folder),
                languages=self.languages,
                device=self.device,
                seed=seed,
                recipe=replace(self.start, **changed),
                budget_seconds=budget,
            )
        metrics = report.metrics
        seconds = float(metrics["train_seconds"])
        if not changed:
            self.longest = max(self.longest, self.clock() - began)
            self.uncut = max(self.uncut, self.clock() - began - seconds)
            if self.most is None:
                self.most = budget if cut_in_words(report.fit) else self.uncut + _SLOWEST * seconds
        return Trial(
            changed,
            metrics["accuracy"],
            metrics["calibration_error"],
            metrics["outside_auroc"],
            round(seconds, 2),
        )


def _intents(rows: Sequence[Mapping[str, Any]], split: str) -> set[str]:
    own = {str(row["intent"]) for row in rows if row.get("split") == split and row.get("intent")}
    return own - {OUT_OF_SCOPE}


def _suggest(trial: Any, start: Recipe) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-3, 8e-3, log=True),
        "hidden": trial.suggest_categorical("hidden", [64, 96, 128, 192]),
        "dropout": trial.suggest_float("dropout", 0.2, 0.6, step=0.1),
        "embedding_dropout": trial.suggest_float("embedding_dropout", 0.1, 0.5, step=0.1),
        "label_smoothing": trial.suggest_float("label_smoothing", 0.0, 0.15, step=0.05),
        "outlier_share": trial.suggest_float("outlier_share", 0.1, 0.4, step=0.1),
        "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128]),
        "steps": int(start.steps * trial.suggest_float("length", 0.6, 1.6, step=0.2)),
    }


def save_recipe(recipe: Recipe, path: Path) -> None:
    path.write_text(json.dumps(asdict(recipe), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def load_recipe(path: Path) -> Recipe:
    """Raises InputError for a file that is no recipe, or has a value of another type or out of its range; a value that
    is not named keeps its default."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        unknown = set(body) - {item.name for item in fields(Recipe)}
        if unknown:
            raise InputError("Unknown value in the recipe", field="recipe", value=", ".join(sorted(unknown)))
        for name, value in body.items():
            _check(name, value)
        return Recipe(**body)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            "This is no recipe", field="recipe", value=path, remedy="Make one with: frontdesk tune"
        ) from error


def _check(name: str, value: Any) -> None:
    """Raises InputError naming the value and what may stand there."""
    default = getattr(Recipe(), name)
    kind = float if default is None else type(default)
    if default is None and value is None:
        return
    if kind is bool:
        fits, remedy = isinstance(value, bool), "true or false"
    else:
        least, most = _RANGES[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = number and (kind is float or isinstance(value, int)) and least <= value <= most
        whole, any_number = f"A whole number from {least} to {most}", f"A number from {least} to {most}"
        remedy = whole if kind is int else any_number
    if not fits:
        raise InputError(
            f"This value does not fit {name} of a recipe", field=name, value=json.dumps(value), remedy=remedy
        )
