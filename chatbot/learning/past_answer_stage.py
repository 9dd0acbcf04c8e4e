"""The stage of a training that makes past answers of a snapshot's dialogues: read, train the ranker, judge, weigh."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from chatbot.inference.generate import ResponseGenerator
from chatbot.inference.rank import AnswerRanker
from chatbot.learning.generator_data import read_passages
from chatbot.learning.generator_training import load_network
from chatbot.learning.past_answer_data import read_past_replies
from chatbot.learning.ranker_judging import first_of_hundred, fit_choice
from chatbot.learning.ranker_training import RankerSettings, train_ranker
from chatbot.neural.devices import resolve_device
from chatbot.neural.fit_report import FitResult
from chatbot.neural.tokenizer import SubwordTokenizer

log = logging.getLogger(__name__)

LEAST_ANSWERS = 20
_SITUATIONS_A_SECOND = 700  # of the budget: about what a processor's core comes to learn from
_VALIDATED = 192
_LAST_TOKENS, _REPLY_TOKENS = 32, 40  # pieces that tell what a message asks and an answer says
_LEAST_WEIGHED = 1.0  # seconds; in fewer nothing is weighed, and the default weights hold
_FITTED = 0.5  # share of the budget for the training proper; reading, vectors and judging have the rest
_WEIGHED = 0.15  # share for the weights


@dataclass(frozen=True)
class PastAnswersReport:
    """``fit`` is None where there were too few answers and nothing was written."""

    answers: int
    metrics: dict[str, Any] = field(default_factory=dict)
    fit: FitResult | None = field(default=None, repr=False)


def train_past_answers(
    dialogues: Iterable[Mapping[str, Any]],
    passages: Iterable[Mapping[str, Any]],
    out: Path,
    *,
    device: str = "auto",
    seed: int = 13,
    budget_seconds: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> PastAnswersReport:
    """Write ``out``/ranker from the snapshot's rows; ``out`` holds a generator already.

    budget_seconds: for everything. Raises TrainingError where the generator cannot be read.
    """
    began = time.monotonic()
    cpu = resolve_device(device).type == "cpu"
    within = budget_seconds if cpu else None
    replies = read_past_replies(
        dialogues,
        read_passages(passages),
        seed=seed,
        situations=int(within * _SITUATIONS_A_SECOND) if within is not None else None,
    )
    if len(replies.times) < LEAST_ANSWERS:
        return PastAnswersReport(len(replies.times))
    read = time.monotonic() - began
    network = load_network(out)
    served = ResponseGenerator.load(out)
    layout = replace(
        served.layout,
        turns=2,
        last_tokens=min(_LAST_TOKENS, served.layout.last_tokens),
        reply_tokens=_REPLY_TOKENS,
    )
    ranked = train_ranker(
        replies.train, replies.valid[:_VALIDATED], SubwordTokenizer.load(out / "tokenizer.json"), network,
        layout, out, answers=replies.times, settings=RankerSettings(words=True), device=device, seed=seed,
        budget_seconds=budget_seconds * _FITTED if budget_seconds is not None else None,
        progress=(lambda at: progress(0.9 * at.share)) if progress is not None else None,
    )  # fmt: skip
    ranker = AnswerRanker.load(out)
    first = first_of_hundred(ranker, replies, seed=seed)
    seconds = within * _WEIGHED if within is not None else None
    if seconds is not None and seconds < _LEAST_WEIGHED:
        seconds = 0.0
    weights = fit_choice(ranker, served, replies.valid, seconds=seconds, seed=seed)
    weights.save(out)
    metrics = {
        "answers": ranked.answers,
        "said_more_than_once": sum(times > 1 for times in replies.times.values()),
        "situations": len(replies.train),
        "first_of_batch": round(100 * ranked.accuracy, 1),
        "first_of_100": asdict(first) if first is not None else None,
        "weights": asdict(weights),
        "steps": ranked.fit.steps,
        "reading_seconds": round(read, 1),
        "seconds": round(time.monotonic() - began, 1),
    }
    log.info("past answers: %s", metrics)
    return PastAnswersReport(ranked.answers, metrics, ranked.fit)
