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
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from chatbot.dialogue.asked_after import Answered, Near
from chatbot.dialogue.cards import Card
from chatbot.dialogue.said_words import Asked, intent_topic
from chatbot.dialogue.trace import Classification, Hit, IntentGuess
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
    asked: float = 0.0  # cosine to the nearest that stayed with it, or turned to it from others (asked_after)
    led: float = 0.0  # and to the nearest that turned to it from the answer before
    not_known: float = 0.0  # and to the nearest one that the agents did not know, behind the answer before
    cards: tuple[Card, ...] = ()  # of the approved answer

    @property
    def topic(self) -> str | None:
        """An intent, or ``article:slug``."""
        slug = self.article_slug or (self.hit.article_slug if self.hit else None)
        return self.intent or (ARTICLE_LABEL + slug if slug else None)


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
    stay_asked: float = 0.0
    led: float = 0.0
    not_known: float = 0.0

    def utility(self, candidate: Candidate) -> float:
        named = self.classifier * log_of(candidate.by_classifier) + self.search * log_of(candidate.by_search)
        asked = self.stay_asked if candidate.stays else self.asked
        heard = asked * candidate.asked + self.led * candidate.led
        return named - self.new_words * candidate.new_words + heard

    def staying(self, words: float, in_scope: float) -> float:
        return self.stay + self.stay_long * math.log1p(words) + self.stay_inside * log_of(in_scope)

    def nothing_fits(self, in_scope: float, found: float, not_known: float = 0.0) -> float:
        told = self.nothing + self.scope * log_of(1 - in_scope) + self.unfound * log_of(1 - found)
        return told + self.not_known * not_known


@dataclass(frozen=True, slots=True)
class Weighing:
    """The weights of each language (``*``: any other), the bundle's ``weighing.json``; empty: noisy-or.

    ``articles``: those that were there when the release was trained; None: not known.
    """

    languages: Mapping[str, Weights] = field(default_factory=dict)
    articles: frozenset[str] | None = None

    def weights(self, lang: str) -> Weights | None:
        return self.languages.get(lang) or self.languages.get("*")

    def save(self, path: Path) -> None:
        body = {
            "format": FORMAT,
            "languages": {lang: asdict(found) for lang, found in self.languages.items()},
            "articles": None if self.articles is None else sorted(self.articles),
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
            articles = body.get("articles")
            return cls(
                {
                    lang: Weights(**{key: float(value) for key, value in told.items() if key in known})
                    for lang, found in body["languages"].items()
                    # a file of before has one weight for what was asked, whatever stayed
                    for told in [{"stay_asked": found.get("asked", 0.0)} | found]
                },
                None if articles is None else frozenset(map(str, articles)),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError("weighing.json cannot be read", value=path.name, remedy="Retrain") from error


def titled(classification: Classification, known: Mapping[str, KnownIntent]) -> Classification:
    """The guesses with the titles of the intents they name."""
    ranked = (
        replace(guess, title=known[guess.name].title if guess.name in known else guess.name)
        for guess in classification.ranked
    )
    return replace(classification, ranked=tuple(ranked))


def gather(
    classification: Classification,
    intents: Mapping[str, KnownIntent],
    hits: Sequence[Hit],
    topic: str | None = None,
    *,
    trained_on: Collection[str] | None = None,
) -> list[Candidate]:
    """The things that could answer, each once, with what the classifier and the search gave it; not yet weighed.

    ``topic``: what the turn before was answered with (Message.topic); it could answer again. ``trained_on``: the
    articles that the release was trained with. The classifier cannot name one that was written since, which says
    nothing against it: what the search says stands for both.
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
            unheard_of = trained_on is not None and hit.article_slug not in trained_on
            told = hit.score if unheard_of else 0.0
            found[hit.article_slug] = Candidate(
                0.0, hit.title, None, hit.article_slug, None, hit, told, hit.score
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


def with_asked(candidates: Sequence[Candidate], near: Near, behind: str | None) -> list[Candidate]:
    """The candidates, each with how near the question is to those that it answered behind an answer; the answer before
    was on ``behind``."""
    found = [near.answered(c.article_slug, behind) if c.article_slug else Answered() for c in candidates]
    return [
        replace(c, asked=one.here) if c.stays else replace(c, asked=one.turning, led=one.here)
        for c, one in zip(candidates, found, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Behind:
    """The candidates of a message, taken as coming behind one topic, and the probability of that (``share``).

    ``not_known``: how near it is to what the agents did not know behind such an answer (`Near.not_known`).
    """

    candidates: Sequence[Candidate]
    not_known: float = 0.0
    share: float = 1.0


def weigh(
    versions: Sequence[Behind], *, in_scope: float, weights: Weights | None, words: float = 0.0
) -> list[Candidate]:
    """The candidates with their probabilities, best first.

    Where it is not sure what the message comes behind, the topic is one more unknown of the logit: each topic counts by
    its probability and by how well something behind it fits. A candidate is otherwise as behind the topic that
    speaks most for it. ``words``: the message's length (`length_of`).
    """
    versions = [version for version in versions if version.candidates and version.share > 0]
    if not versions:
        return []
    if weights is None:
        return _noisy_or(versions[0])
    whole = [_utilities(version, in_scope, weights, words) for version in versions]
    top = max(max(utilities) for utilities in whole)
    total = 0.0
    power: dict[str, float] = {}
    best: dict[str, tuple[float, Candidate, float]] = {}
    for version, utilities in zip(versions, whole, strict=True):
        powers = [math.exp(utility - top) for utility in utilities]
        total += sum(powers)
        for candidate, own in zip(version.candidates, powers, strict=False):
            key = candidate.article_slug or intent_topic(candidate.intent or "")
            power[key] = power.get(key, 0.0) + own
            if key not in best or own > best[key][0]:
                best[key] = own, candidate, version.not_known
    return _ranked(
        replace(
            c,
            probability=power[key] / total,
            strange=max(0.0, c.new_words - weights.usual_words),
            not_known=not_known,
        )
        for key, (_, c, not_known) in best.items()
    )


def _utilities(version: Behind, in_scope: float, weights: Weights, words: float) -> list[float]:
    """Of each candidate and, last, of "nothing fits", with the topic's log-probability."""
    staying, share = weights.staying(words, in_scope), math.log(version.share)
    utilities = [share + weights.utility(c) + (staying if c.stays else 0.0) for c in version.candidates]
    found = max(c.by_search for c in version.candidates)
    return [*utilities, share + weights.nothing_fits(in_scope, found, version.not_known)]


def _noisy_or(version: Behind) -> list[Candidate]:
    ranked = _ranked(
        replace(c, probability=1 - (1 - c.by_classifier) * (1 - c.by_search), not_known=version.not_known)
        for c in version.candidates
    )
    if len(ranked) > 1:
        # Only one answer is the right one: what the runner-up claims cannot also belong to the best.
        shared = ranked[0].probability + ranked[1].probability
        if shared > 1:
            ranked[:2] = [replace(c, probability=c.probability / shared) for c in ranked[:2]]
    return ranked


def with_provisional(
    ranked: Sequence[Candidate], near: Sequence[IntentGuess], known: Mapping[str, KnownIntent]
) -> list[Candidate]:
    """The candidates beside the provisional intents (``near``): what these have is a probability already, and the
    search knows nothing of them."""
    left = 1 - sum(guess.confidence for guess in near)
    new = [
        Candidate(
            guess.confidence,
            own.title,
            own.name,
            None,
            own.approved,
            by_classifier=guess.confidence,
            cards=own.cards,
        )
        for guess in near
        if (own := known.get(guess.name)) is not None and own.approved is not None
    ]
    return _ranked([*new, *(replace(c, probability=c.probability * left) if near else c for c in ranked)])


def _ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: -candidate.probability)


def length_of(text: str) -> float:
    """Words; of what is written without spaces, two characters count as one."""
    unspaced = sum(character >= "\u2e80" for character in text)
    return len(text.split()) + unspaced / 2 - (unspaced > 0)


def log_of(probability: float) -> float:
    """log p, no lower than log FLOOR."""
    return math.log(max(probability, FLOOR))
