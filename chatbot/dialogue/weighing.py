"""Weighing what the classifier says against what the search found: one probability for each possible answer.

Both look at every article, from different sides, and neither is always right. A conditional logit with an outside
option "nothing fits" (McFadden 1974) weighs their log-probabilities; its few weights are fitted by maximum likelihood
on held-back questions, so what comes out is calibrated by construction. A release without such a fit falls back to
noisy-or (Pearl 1988, *Probabilistic Reasoning in Intelligent Systems*, section 4.3.2).

What the turn before was answered with is a candidate again: "and in a shop?" after an answer about refunds asks about
refunds. The fewer words a message has, and the surer it is in scope, the more that counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from chatbot.dialogue.asked_after import Near
from chatbot.dialogue.cards import Card
from chatbot.dialogue.said_words import Asked, intent_topic
from chatbot.dialogue.trace import Classification, Hit
from chatbot.errors import BundleError

PERSON_INTENT = "talk_to_person"
SMALLTALK_INTENTS = frozenset({"greeting", "thanks", "goodbye"})
ARTICLE_LABEL = "article:"  # a classifier label for an article that no intent is bound to; its slug follows
FLOOR = 0.003  # probability of what one of the two did not name
FORMAT = 1


@dataclass(frozen=True, slots=True)
class KnownIntent:
    """What the database says about an intent that the classifier named."""

    name: str
    title: str
    article_slug: str | None
    approved: str | None  # the approved answer in the customer's language, valid today
    acts: bool = False  # it is bound to an action
    cards: tuple[Card, ...] = ()  # of the approved answer


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer with the calibrated probability that it is the right one."""

    probability: float
    title: str
    intent: str | None = None
    article_slug: str | None = None
    approved: str | None = None
    hit: Hit | None = None
    by_classifier: float = 0.0  # what each of the two gave it
    by_search: float = 0.0
    stays: bool = False  # the turn before was answered with it
    new_words: float = 0.0  # share of the question's content that nobody used about it (said_words.py)
    strange: float = 0.0  # how much more of its content is new to it than is usual
    asked: float = 0.0  # cosine to the nearest question behind an answer that it answered (asked_after.py)
    asked_elsewhere: float = 0.0  # the same of the other candidates, the nearest
    not_known: float = 0.0  # and to the nearest one that the agents did not know, behind the answer before
    cards: tuple[Card, ...] = ()  # of the approved answer


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the conditional logit.

    A candidate's utility is ``classifier`` · log p + ``search`` · log s − ``new_words`` · the share of the question
    that nobody ever used about it + ``asked`` · the cosine to what it answered behind an answer. What the turn before
    was answered with has ``stay`` + ``stay_long`` · log(1 + words) + ``stay_inside`` · log(in scope) more.
    That of "nothing fits" is ``nothing`` + ``scope`` · log(1 − in scope) + ``unfound`` · log(1 − best s) +
    ``not_known`` · the cosine to what the agents did not know behind such an answer.
    ``usual_words``: the share of words new to its answer that a question of this language usually has.
    """

    classifier: float = 1.0
    search: float = 1.0
    nothing: float = -4.0
    scope: float = 0.5
    unfound: float = 0.5
    new_words: float = 0.0
    usual_words: float = 0.0
    stay: float = 0.0
    stay_long: float = 0.0
    stay_inside: float = 0.0
    asked: float = 0.0
    not_known: float = 0.0

    def utility(self, candidate: Candidate) -> float:
        named = self.classifier * log_of(candidate.by_classifier) + self.search * log_of(candidate.by_search)
        return named - self.new_words * candidate.new_words + self.asked * candidate.asked

    def staying(self, words: float, in_scope: float) -> float:
        return self.stay + self.stay_long * math.log1p(words) + self.stay_inside * log_of(in_scope)

    def nothing_fits(self, in_scope: float, found: float, not_known: float = 0.0) -> float:
        told = self.nothing + self.scope * log_of(1 - in_scope) + self.unfound * log_of(1 - found)
        return told + self.not_known * not_known


@dataclass(frozen=True, slots=True)
class Weighing:
    """The weights of each language (``*``: any other), the bundle's ``weighing.json``; empty: noisy-or."""

    languages: Mapping[str, Weights] = field(default_factory=dict)

    def weights(self, lang: str) -> Weights | None:
        return self.languages.get(lang) or self.languages.get("*")

    def save(self, path: Path) -> None:
        body = {
            "format": FORMAT,
            "languages": {lang: asdict(found) for lang, found in self.languages.items()},
        }
        path.write_text(json.dumps(body, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Weighing:
        """Raises BundleError for a file that is not of a known format."""
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            if body["format"] != FORMAT:
                raise BundleError("The format of weighing.json is not known", value=body["format"])
            known = {item.name for item in fields(Weights)}
            return cls(
                {
                    lang: Weights(**{key: float(value) for key, value in found.items() if key in known})
                    for lang, found in body["languages"].items()
                }
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError("weighing.json cannot be read", value=path.name, remedy="Retrain") from error


def gather(
    classification: Classification,
    intents: Mapping[str, KnownIntent],
    hits: Sequence[Hit],
    topic: str | None = None,
) -> list[Candidate]:
    """The things that could answer, each once, with what the classifier and the search gave it; not yet weighed.

    ``topic``: what the turn before was answered with (Message.topic); it could answer again.
    """
    found: dict[str, Candidate] = {}
    named = [(guess.name, guess.confidence * classification.in_scope) for guess in classification.ranked]
    last = intents.get(topic) if topic is not None else None
    for name, probability in [*named, *([(last.name, 0.0)] if last is not None else [])]:
        known = intents.get(name)
        if known is None or known.name in SMALLTALK_INTENTS or known.name == PERSON_INTENT:
            continue
        if known.approved is None and known.article_slug is None and not known.acts:
            continue  # nothing to say about it
        key = _key(known)
        if key in found and found[key].by_classifier >= probability:
            continue
        found[key] = Candidate(
            0.0,
            known.title,
            None if known.name.startswith(ARTICLE_LABEL) else known.name,
            known.article_slug,
            known.approved,
            by_classifier=probability,
            stays=last is not None and key == _key(last),
            cards=known.cards,
        )
    for hit in hits:
        seen = found.get(hit.article_slug)
        if seen is None:
            found[hit.article_slug] = Candidate(
                0.0, hit.title, None, hit.article_slug, None, hit, 0.0, hit.score
            )
        elif seen.hit is None:
            found[hit.article_slug] = replace(seen, hit=hit, by_search=hit.score)
    return list(found.values())


def _key(known: KnownIntent) -> str:
    """Two intents that one article answers are one possible answer."""
    return known.article_slug or intent_topic(known.name)


def with_new_words(candidates: Sequence[Candidate], asked: Asked | None) -> list[Candidate]:
    """The candidates, each with how much of the question is new to it. None: the release knows no such words."""
    if asked is None:
        return list(candidates)
    return [
        replace(
            candidate,
            new_words=asked.new_to(
                candidate.article_slug or intent_topic(candidate.intent or ""),
                [candidate.hit.text] if candidate.hit is not None else [],
            ),
        )
        for candidate in candidates
    ]


def with_asked(candidates: Sequence[Candidate], near: Near | None) -> list[Candidate]:
    """The candidates, each with how near the question is to those that it answered behind an answer."""
    if near is None:
        return list(candidates)
    asked = [near.answered(c.article_slug) if c.article_slug else 0.0 for c in candidates]
    return [
        replace(c, asked=own, asked_elsewhere=max([*asked[:i], *asked[i + 1 :]], default=0.0))
        for i, (c, own) in enumerate(zip(candidates, asked, strict=True))
    ]


def weigh(
    candidates: Sequence[Candidate],
    *,
    in_scope: float,
    weights: Weights | None,
    words: float = 0.0,
    not_known: float = 0.0,
) -> list[Candidate]:
    """The candidates with their probabilities, best first.

    ``words``: the message's length (`length_of`); ``not_known``: how near it is to what the agents did not know behind
    the answer that it follows (`Near.not_known`).
    """
    if not candidates:
        return []
    if weights is None:
        probabilities = [1 - (1 - c.by_classifier) * (1 - c.by_search) for c in candidates]
    else:
        staying = weights.staying(words, in_scope)
        utilities = [weights.utility(c) + (staying if c.stays else 0.0) for c in candidates]
        utilities.append(weights.nothing_fits(in_scope, max(c.by_search for c in candidates), not_known))
        top = max(utilities)
        powers = [math.exp(utility - top) for utility in utilities]
        total = sum(powers)
        probabilities = [power / total for power in powers[:-1]]
    usual = weights.usual_words if weights is not None else 1.0
    ranked = sorted(
        (
            replace(c, probability=p, strange=max(0.0, c.new_words - usual), not_known=not_known)
            for c, p in zip(candidates, probabilities, strict=True)
        ),
        key=lambda candidate: -candidate.probability,
    )
    if weights is None and len(ranked) > 1:
        # Only one answer is the right one: what the runner-up claims cannot also belong to the best.
        shared = ranked[0].probability + ranked[1].probability
        if shared > 1:
            ranked[:2] = [replace(c, probability=c.probability / shared) for c in ranked[:2]]
    return ranked


def length_of(text: str) -> float:
    """Words; of what is written without spaces, two characters count as one."""
    unspaced = sum(character >= "\u2e80" for character in text)
    return len(text.split()) + unspaced / 2 - (unspaced > 0)


def log_of(probability: float) -> float:
    """log p, no lower than log FLOOR."""
    return math.log(max(probability, FLOOR))
