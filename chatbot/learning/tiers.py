"""Which tiers of the intent classifier to train for a set of examples, and who teaches the fast one.

Where the sentence encoder knows the language, the accurate tier teaches. Elsewhere (Chinese without its
package) several fast networks of other seeds teach together: what they agree on is less accidental
than what one of them believes (Hinton et al. 2015, section 3; Fukuda et al. 2017).
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.dialogue.trace import Message
from chatbot.inference.classify import IntentClassifier
from chatbot.inference.classify_states import Tier
from chatbot.inference.encode import SentenceEncoder
from chatbot.learning.accurate_training import AccurateRecipe, teacher_of, train_accurate
from chatbot.learning.cascade import Cascade, fit_cascade
from chatbot.learning.classifier_data import Lesson, Recipe, Teacher, read_examples
from chatbot.learning.classifier_training import ClassifierReport, train_classifier

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]  # stage, share done 0..1
_ENSEMBLE = 3


@dataclass(frozen=True)
class Encoder:
    """A sentence encoder as it serves, and the folder of its trained weights (for tuning)."""

    served: SentenceEncoder
    weights: Path | None = None


@dataclass(frozen=True)
class TiersReport:
    """``fast`` or ``accurate`` is None where it was not asked for; so ``cascade``."""

    fast: ClassifierReport | None
    accurate: ClassifierReport | None
    cascade: Cascade | None = None

    @property
    def main(self) -> ClassifierReport:
        report = self.fast or self.accurate
        if report is None:
            raise ValueError("nothing was trained")
        return report


def packaged_encoder(store: Path, lang: str = "en") -> Encoder | None:
    """The packaged encoder of a language, exported into ``store``; None where none knows it.

    Raises InputError where it is not installed.
    """
    from chatbot.learning.encoders import DOMAIN, ensure_encoder, packaged_for, packaged_weights

    name = packaged_for(lang)
    if name == DOMAIN:
        return None
    return Encoder(SentenceEncoder.load(ensure_encoder(name, store)), packaged_weights(name, store))


def understands(encoder: Encoder | None, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether nine tenths of the labelled messages are in a language of the encoder."""
    if encoder is None:
        return False
    spoken = [example.lang for example in read_examples(rows)]
    languages = encoder.served.languages
    return not languages or sum(lang in languages for lang in spoken) >= 0.9 * len(spoken)


def train_tiers(
    rows: Sequence[Mapping[str, Any]],
    out_dir: Path,
    *,
    tier: Tier,
    languages: Sequence[str],
    encoder: Encoder | None,
    teacher: bool = True,
    device: str = "auto",
    seed: int = 13,
    progress: Progress | None = None,
    recipe: Recipe | None = None,
    accurate_recipe: AccurateRecipe | None = None,
) -> TiersReport:
    """Train ``tier`` (``auto``: both and the cascade) on rows of examples.jsonl and write it to ``out_dir``.

    teacher: whether the fast tier has one (several times slower to train, and more accurate). A language that
    the encoder does not know gets the fast tier alone, whatever is asked. Raises TrainingError as the tiers
    do.
    """
    tell = progress or (lambda stage, share: None)
    known = understands(encoder, rows)
    if not known and tier != "fast":
        log.warning("the sentence encoder does not know the language: the fast tier stands alone")
        tier = "fast"
    accurate: ClassifierReport | None = None
    with tempfile.TemporaryDirectory() as scratch:
        states = Path(scratch) if tier == "fast" else out_dir
        if encoder is not None and known and (tier != "fast" or teacher):
            accurate = train_accurate(
                rows,
                states,
                encoder=encoder.served,
                weights=encoder.weights,
                device=device,
                seed=seed,
                progress=lambda share: tell("accurate tier", share),
                recipe=accurate_recipe,
            )
        if tier == "accurate":
            return TiersReport(None, accurate)
        tutor: Teacher | None = None
        if teacher:
            tutor = (
                teacher_of(states, encoder=encoder.served)
                if encoder is not None and accurate
                else ensemble(
                    rows,
                    Path(scratch),
                    languages=languages,
                    device=device,
                    seed=seed,
                    progress=tell,
                    recipe=recipe,
                )
            )
        fast = train_classifier(
            rows,
            out_dir,
            languages=languages,
            device=device,
            seed=seed,
            progress=lambda share: tell("fast tier", share),
            teacher=tutor,
            recipe=recipe,
        )
    if tier == "fast" or encoder is None:
        return TiersReport(fast, None)
    return TiersReport(fast, accurate, fit_cascade(out_dir, rows, encoder=encoder.served, seed=seed))


def ensemble(
    rows: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    languages: Sequence[str],
    device: str,
    seed: int,
    progress: Progress,
    recipe: Recipe | None = None,
    n: int = _ENSEMBLE,
) -> Teacher:
    """``n`` fast networks as one teacher: the mean of their logits; it has no sentence vectors to offer."""
    members = []
    for i in range(n):
        out = folder / f"member-{i}"
        train_classifier(
            rows,
            out,
            languages=languages,
            device=device,
            seed=seed + 100 * (i + 1),
            progress=lambda share, i=i: progress("teachers", (i + share) / n),  # type: ignore[misc]
            recipe=recipe,
        )
        members.append(IntentClassifier.load(out))

    def teach(texts: Sequence[str], histories: Sequence[Sequence[Message]]) -> Lesson:
        logits = np.mean([member.raw(texts, histories=histories).logits for member in members], axis=0)
        return Lesson(logits.astype(np.float32), np.zeros((len(texts), 0), np.float32))

    return teach
