"""Weighing what the classifier says against what the search found: one probability for each possible answer.

Both look at every article, from different sides, and neither is always right. A conditional logit with an outside
option "nothing fits" (McFadden 1974) weighs their log-probabilities; its few weights are fitted by maximum likelihood
on held-back questions, so what comes out is calibrated by construction. A release without such a fit falls back to
noisy-or (Pearl 1988, *Probabilistic Reasoning in Intelligent Systems*, section 4.3.2).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the conditional logit: a candidate's utility is ``classifier`` · log p + ``search`` · log s; that of "nothing
    fits" is ``nothing`` + ``scope`` · log(1 − in scope) + ``unfound`` · log(1 − best s)."""

    classifier: float = 1.0
    search: float = 1.0
    nothing: float = -4.0
    scope: float = 0.5
    unfound: float = 0.5

    def utility(self, candidate: Candidate) -> float:
        return self.classifier * log_of(candidate.by_classifier) + self.search * log_of(candidate.by_search)

    def nothing_fits(self, in_scope: float, found: float) -> float:
        return self.nothing + self.scope * log_of(1 - in_scope) + self.unfound * log_of(1 - found)


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
    classification: Classification, intents: Mapping[str, KnownIntent], hits: Sequence[Hit]
) -> list[Candidate]:
    """The things that could answer, each once, with what the classifier and the search gave it; not yet weighed."""
    found: dict[str, Candidate] = {}
    for guess in classification.ranked:
        known = intents.get(guess.name)
        if known is None or known.name in SMALLTALK_INTENTS or known.name == PERSON_INTENT:
            continue
        if known.approved is None and known.article_slug is None and not known.acts:
            continue  # nothing to say about it
        key = known.article_slug or f"intent:{known.name}"
        probability = guess.confidence * classification.in_scope
        if key in found and found[key].by_classifier >= probability:
            continue
        name = None if known.name.startswith(ARTICLE_LABEL) else known.name
        found[key] = Candidate(
            0.0, known.title, name, known.article_slug, known.approved, by_classifier=probability
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


def weigh(candidates: Sequence[Candidate], *, in_scope: float, weights: Weights | None) -> list[Candidate]:
    """The candidates with their probabilities, best first."""
    if not candidates:
        return []
    if weights is None:
        probabilities = [1 - (1 - c.by_classifier) * (1 - c.by_search) for c in candidates]
    else:
        utilities = [weights.utility(c) for c in candidates]
        utilities.append(weights.nothing_fits(in_scope, max(c.by_search for c in candidates)))
        top = max(utilities)
        powers = [math.exp(utility - top) for utility in utilities]
        total = sum(powers)
        probabilities = [power / total for power in powers[:-1]]
    ranked = sorted(
        (replace(c, probability=p) for c, p in zip(candidates, probabilities, strict=True)),
        key=lambda candidate: -candidate.probability,
    )
    if weights is None and len(ranked) > 1:
        # Only one answer is the right one: what the runner-up claims cannot also belong to the best.
        shared = ranked[0].probability + ranked[1].probability
        if shared > 1:
            ranked[:2] = [replace(c, probability=c.probability / shared) for c in ranked[:2]]
    return ranked


def log_of(probability: float) -> float:
    """log p, no lower than log FLOOR."""
    return math.log(max(probability, FLOOR))
