"""When the fast tier's answer stands, and how far both are believed where the accurate one is asked too.

Chosen on the validation messages, in the form that serves.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Classification
from chatbot.inference.classifier_config import ACCURATE_FOLDER, ALL, Blend
from chatbot.inference.classify import IntentClassifier
from chatbot.inference.classify_states import AccurateClassifier, joined
from chatbot.inference.encode import SentenceEncoder
from chatbot.learning.classifier_data import Example, coherent, read_examples, split_examples

_ENOUGH_TO_BLEND = 100  # validation messages
_ENOUGH_TO_JUDGE = 50  # of a language; with fewer it goes with the others
_COSTS = 0.001  # accuracy that a threshold may cost
_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0)
_SHARPNESS = (0.8, 1.0, 1.2, 1.4, 1.7)


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold: ``sure`` the confidence from which the fast tier's answer stands (0: always), the shares answered
    by it and right, and milliseconds a message as this machine took them."""

    sure: float
    fast_share: float
    accuracy: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """A language's validation messages: how many, shares right by each tier alone and by the cascade, and whether the
    accurate tier is asked there."""

    n: int
    fast: float
    accurate: float
    together: float
    asked: bool


@dataclass(frozen=True, slots=True)
class Cascade:
    """``chosen``: None without validation messages. ``languages``: "*" for all, where none has enough of them."""

    curve: tuple[Point, ...] = ()
    chosen: Point | None = None
    languages: dict[str, Heard] = field(default_factory=dict)

    @property
    def not_asked(self) -> list[str]:
        return [lang for lang, heard in self.languages.items() if not heard.asked]

    @property
    def worth_it(self) -> bool:
        """Whether some language gains by the accurate tier, as far as the validation messages tell."""
        return self.chosen is None or (
            self.chosen.sure > 0 and any(heard.asked for heard in self.languages.values())
        )

    def in_words(self, lang: str) -> str:
        """Why the accurate tier is not asked in a language."""
        heard = self.languages[lang]
        where = "" if lang == ALL else f" in {lang}"
        return (
            f"not asked{where}: right on {100 * heard.accurate:.1f} % of the validation messages, the fast one on "
            f"{100 * heard.fast:.1f} %, and both together on no more"
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class _Answers:
    """What both tiers say of the validation messages."""

    examples: Sequence[Example]
    fast: Sequence[Classification]
    fast_ms: float
    accurate: Sequence[Classification]
    accurate_ms: float

    def right(self, found: Sequence[Classification]) -> NDArray[np.bool_]:
        return np.asarray(
            [c.top is not None and c.top.name == e.intent for c, e in zip(found, self.examples, strict=True)],
            bool,
        )

    def only(self, wanted: NDArray[np.bool_]) -> _Answers:
        kept = np.flatnonzero(wanted).tolist()
        return replace(
            self,
            examples=[self.examples[i] for i in kept],
            fast=[self.fast[i] for i in kept],
            accurate=[self.accurate[i] for i in kept],
        )

    def blend(self) -> Blend:
        return _best_blend(self.fast, self.accurate, [e.intent or "" for e in self.examples])

    def curve(self, blend: Blend) -> tuple[Point, ...]:
        """From the fast tier alone, at 0, to both always."""
        sure = np.asarray([c.top.confidence * c.in_scope if c.top else 1.0 for c in self.fast])
        alone = self.right(self.fast)
        both = self.right([joined(a, b, blend) for a, b in zip(self.fast, self.accurate, strict=True)])
        points = []
        for threshold in (0.0, *np.linspace(0.3, 1.0, 29)):
            stands = sure >= threshold
            share = float(stands.mean())
            points.append(
                Point(
                    float(threshold),
                    share,
                    float(np.where(stands, alone, both).mean()),
                    self.fast_ms + (1 - share) * self.accurate_ms,
                )
            )
        return tuple(points)


def fit_cascade(
    out_dir: Path, examples: Iterable[Mapping[str, Any]], *, encoder: SentenceEncoder | None, seed: int = 13
) -> Cascade:
    """Choose from which confidence the fast tier's answer stands, and in which languages the accurate one is asked at
    all, and write both into the accurate tier's config.

    Taken is the lowest threshold that costs at most a tenth of a point against the best one, on the validation
    messages. Where that is 0, the fast tier answers alone as well; what that means for a release, its caller decides.
    """
    folder = out_dir / ACCURATE_FOLDER
    fast = IntentClassifier.load(out_dir)
    accurate = AccurateClassifier.load(folder, encoder=encoder)
    split, _ = coherent(split_examples(read_examples(examples), seed=seed), seed=seed)
    if not split.valid:
        return Cascade()
    answers = _Answers(split.valid, *_asked(fast, split.valid), *_asked(accurate, split.valid))
    spoken = np.asarray([e.lang for e in split.valid])
    languages: dict[str, Heard] = {}
    blend = answers.blend()
    for lang in sorted(set(spoken.tolist())):
        if (spoken == lang).sum() >= _ENOUGH_TO_JUDGE:
            languages[lang] = _heard(answers.only(spoken == lang), blend)
    others = ~np.isin(spoken, list(languages))
    if not languages:
        languages[ALL] = _heard(answers, blend)
    silent = [lang for lang, heard in languages.items() if not heard.asked]
    heard = ~np.isin(spoken, silent)
    if silent and (heard & ~others).any():
        answers = answers.only(heard)
        blend = answers.blend()
    curve = answers.curve(blend)
    chosen = _chosen(curve)
    kept = tuple(lang for lang in accurate.config.languages if lang not in silent)
    replace(accurate.config, sure=chosen.sure, blend=blend, languages=kept).save(folder)
    return Cascade(curve, chosen, languages)


def _asked(
    tier: IntentClassifier | AccurateClassifier, examples: Sequence[Example]
) -> tuple[list[Classification], float]:
    """What a tier says of each, and milliseconds a message."""
    began = time.perf_counter()
    found = [tier.classify(e.text, history=e.context, lang=e.lang) for e in examples]
    return found, 1000 * (time.perf_counter() - began) / len(examples)


def _chosen(curve: Sequence[Point]) -> Point:
    wanted = max(point.accuracy for point in curve) - _COSTS
    return next(point for point in curve if point.accuracy >= wanted)


def _heard(answers: _Answers, blend: Blend) -> Heard:
    chosen = _chosen(answers.curve(blend))
    return Heard(
        n=len(answers.examples),
        fast=float(answers.right(answers.fast).mean()),
        accurate=float(answers.right(answers.accurate).mean()),
        together=chosen.accuracy,
        asked=chosen.sure > 0,
    )


def _best_blend(
    fast: Sequence[Classification], accurate: Sequence[Classification], intents: Sequence[str]
) -> Blend:
    """The blend under which the validation messages' intents are likeliest; with too few of them, the accurate
    tier alone.
    """
    if len(intents) < _ENOUGH_TO_BLEND:
        return Blend()

    def cost(blend: Blend) -> float:
        total = 0.0
        for one, other, intent in zip(fast, accurate, intents, strict=True):
            given = {guess.name: guess.confidence for guess in joined(one, other, blend).ranked}
            total -= math.log(max(given.get(intent, 0.0), 0.002))
        return total

    choices = [Blend(share, sharp) for share in _SHARES for sharp in _SHARPNESS]
    return min(choices, key=cost)
