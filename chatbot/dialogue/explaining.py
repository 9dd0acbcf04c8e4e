"""Why the classifier decided so: the words that did it, the nearest training messages, the second-best intent.

The words come from leaving each out (chatbot/inference/attribution.py). The nearest messages are compared by what
the classifier itself makes of them: the fast tier's pooled LSTM states, so a message that is near here is one the
decision cannot tell from this one. They are read from the database as they stand: an erased message is not shown.

Provisional intents have no class in the classifier: where one claims the message, its own examples say why, by the
cosine of the search's encoder; the words are left out of its probability, too; and what is left of the classifier's
best intent says why not that.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.dialogue.provisional import NearIntent, Provisional
from chatbot.dialogue.trace import Classification, IntentGuess, Message
from chatbot.dialogue.weighing import ARTICLE_LABEL
from chatbot.inference.attribution import Explanation, WordWeight, explain
from chatbot.inference.classify import IntentClassifier
from chatbot.inference.classify_states import CascadeClassifier, Classifier
from chatbot.language.normalise import has_letters
from chatbot.language.tokens import tokenise, word_of
from chatbot.records.database import Database
from chatbot.records.tables import Article, ArticleQuestion, Example, Intent

_WORTH_SAYING = 0.02  # a runner-up below this was never near
NEAREST = 3  # shown of each intent
_READ = 30  # of each intent
_COMPARED = 6  # of these, those with the most words in common: the LSTM reads about two in a millisecond


@dataclass(frozen=True, slots=True)
class NearMessage:
    """A training message; ``similarity`` is the cosine of the classifier's states, -1..1."""

    text: str
    intent: str
    similarity: float


@dataclass(frozen=True, slots=True)
class ByExamples:
    """What a provisional intent claims: its probability; ``needed`` for an answer, where that is known; its nearest
    examples; the best of all others with what is left to it; whether it ``leads`` these; the ``words`` of the message
    by what goes of its probability without each.
    """

    intent: str
    confidence: float
    needed: float | None
    nearest: tuple[NearMessage, ...]
    second: IntentGuess | None
    leads: bool
    words: tuple[WordWeight, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """``nearest``: of the classifier's top intent; ``against``: of the runner-up, which came nearest to winning;
    ``provisional``: the provisional intent that claims most of the message, None where none claims any of it.
    """

    explanation: Explanation
    nearest: tuple[NearMessage, ...]
    against: tuple[NearMessage, ...]
    milliseconds: float
    provisional: ByExamples | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def why_not(self) -> str:
        """Why the second-best intent lost, in one sentence; empty where there is none."""
        if self.provisional is not None and self.provisional.leads:
            return _why_provisional(self.provisional)
        best, second = self.explanation.classification.top, self.explanation.runner_up
        if best is None or second is None:
            return ""
        sentence = f"{second.name} has {second.confidence:.2f}, {best.name} {best.confidence:.2f}"
        word = self.explanation.against
        if word is not None and second.confidence >= _WORTH_SAYING:
            sentence += f"; without “{word.text}” it would be nearer"
        if self.nearest and self.against:
            mine, theirs = self.nearest[0], self.against[0]
            sentence += (
                f"; its nearest message “{theirs.text}” resembles this one by {theirs.similarity:.2f}, "
                f"“{mine.text}” by {mine.similarity:.2f}"
            )
        return sentence + "."


def explain_message(
    database: Database,
    classifier: Classifier,
    text: str,
    *,
    lang: str,
    history: Sequence[Message] = (),
    provisional: Provisional | None = None,
    needed: float | None = None,
) -> Why:
    """Classify ``text`` and say why, with the company's own messages as witnesses. ``needed``: the least probability of
    an answer.
    """
    began = time.perf_counter()
    explanation = explain(classifier, text, history=history, lang=lang)
    top, second = explanation.classification.top, explanation.runner_up
    names = [guess.name for guess in (top, second) if guess is not None]
    with database.read() as session:
        told = {name: _messages(session, name, lang) for name in names}
    found = [(other, name) for name in names for other in _alike(text, told[name])]
    near = _nearest(classifier, text, found)
    claimed = provisional.near(text, lang=lang) if provisional is not None and has_letters(text) else []
    by_examples = _by_examples(claimed, explanation.classification, needed)
    if by_examples is not None and provisional is not None:
        by_examples = replace(by_examples, words=provisional.weigh(text, by_examples.intent, lang=lang))
    return Why(
        explanation,
        tuple(message for message in near if top and message.intent == top.name)[:NEAREST],
        tuple(message for message in near if second and message.intent == second.name)[:NEAREST],
        round(1000 * (time.perf_counter() - began), 2),
        by_examples,
    )


def _by_examples(
    claimed: Sequence[NearIntent], classification: Classification, needed: float | None
) -> ByExamples | None:
    if not claimed:
        return None
    best = claimed[0]
    left = (1 - sum(one.confidence for one in claimed)) * classification.in_scope
    rest = [IntentGuess(g.name, g.confidence * left, g.title) for g in classification.ranked]
    rest += [IntentGuess(one.name, one.confidence) for one in claimed[1:]]
    second = max(rest, key=lambda guess: guess.confidence, default=None)
    return ByExamples(
        best.name,
        best.confidence,
        needed,
        tuple(NearMessage(text, best.name, cosine) for text, cosine in best.examples),
        second,
        second is None or best.confidence >= second.confidence,
    )


def _why_provisional(found: ByExamples) -> str:
    sentence = f"{found.intent} is provisional and has {found.confidence:.2f}"
    if found.needed is not None:
        sentence += f", {found.needed:.2f} is needed"
    if found.nearest:
        one = found.nearest[0]
        sentence += f"; its example “{one.text}” resembles this message by {one.similarity:.2f}"
    if found.second is not None:
        sentence += f"; {found.second.name} is left {found.second.confidence:.2f}"
    return sentence + "."


def _nearest(classifier: Classifier, text: str, found: Sequence[tuple[str, str]]) -> list[NearMessage]:
    """(text, intent) pairs, the nearest to ``text`` first; none where there is no fast tier to compare with."""
    fast = classifier.fast if isinstance(classifier, CascadeClassifier) else classifier
    if not found or not isinstance(fast, IntentClassifier):
        return []
    features = fast.raw([text, *(other for other, _ in found)]).features  # [1 + n, 4h]
    lengths: NDArray[np.float32] = np.linalg.norm(features, axis=1) + 1e-9
    cosines = features[1:] @ features[0] / (lengths[1:] * lengths[0])
    order = np.argsort(-cosines, kind="stable")
    return [NearMessage(found[i][0], found[i][1], round(float(cosines[i]), 4)) for i in order]


def _alike(text: str, others: Sequence[str]) -> list[str]:
    """The ``_COMPARED`` of ``others`` that share most with ``text``: words in common against words of either."""
    own = {word_of(token) for token in tokenise(text)}

    def shared(other: str) -> float:
        words = {word_of(token) for token in tokenise(other)}
        return len(own & words) / max(1, len(own | words))

    return sorted(others, key=shared, reverse=True)[:_COMPARED]


def _messages(session: Session, name: str, lang: str) -> list[str]:
    """Training messages of a label in the language, mixed, the same each time."""
    if name.startswith(ARTICLE_LABEL):
        query = (
            select(ArticleQuestion.text)
            .join(Article, ArticleQuestion.article_id == Article.id)
            .where(
                Article.slug == name.removeprefix(ARTICLE_LABEL),
                ArticleQuestion.lang == lang,
                ArticleQuestion.enabled,
            )
            .order_by(ArticleQuestion.content_hash)
        )
    else:
        query = (
            select(Example.text)
            .join(Intent, Example.intent_id == Intent.id)
            .where(
                Intent.name == name,
                Example.lang == lang,
                Example.status == "accepted",
                Example.split == "train",
            )
            .order_by(Example.group_key)
        )
    return list(dict.fromkeys(session.scalars(query.limit(_READ))))
