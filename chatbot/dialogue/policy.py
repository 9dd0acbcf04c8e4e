"""From calibrated evidence to a reply kind: one pure function.

The rules, in the order they are tried (the name of the one that decided is in the trace):

1. ``asked_for_person``   the customer asks for a person → ``person``
2. ``smalltalk``          a greeting, thanks, a goodbye and nothing else → ``smalltalk``
3. ``nothing_to_read``    no letters, or a script that was never learned → ``unknown``
4. ``asked_again``        the same question again after it was answered → ``person`` is offered (``unknown``)
5. ``sure``               the best candidate's probability reaches ``sureness`` → ``approved`` where its intent has
                          an approved answer, else ``generated`` where the mode allows it and the draft passed its
                          check, else ``passage``
6. ``torn``               two candidates are near each other, both likely → ``choices``
7. ``perhaps``            candidates above ``choice_floor`` → ``choices``
8. ``not_known``          nothing fits → ``unknown``

A candidate is a thing that could answer: an intent (with its approved answer or its article) or an article found
by the search. Where both point at the same article their probabilities are joined by noisy-or (Pearl 1988,
*Probabilistic Reasoning in Intelligent Systems*, section 4.3.2), because the classifier and the search err for
different reasons; where they disagree each keeps its own and weakens the other by the share it claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.trace import Classification, Draft, Hit, ReplyKind

PERSON_INTENT = "talk_to_person"
SMALLTALK_INTENTS = frozenset({"greeting", "thanks", "goodbye"})
TORN_MARGIN = 0.12  # two candidates nearer than this are one question to the customer, not a guess
MAX_CHOICES = 4


@dataclass(frozen=True, slots=True)
class KnownIntent:
    """What the database says about an intent that the classifier named."""

    name: str
    title: str
    article_slug: str | None
    approved: str | None  # the approved answer in the customer's language, valid today


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer with the calibrated probability that it is the right one."""

    probability: float
    title: str
    intent: str | None = None
    article_slug: str | None = None
    approved: str | None = None
    hit: Hit | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the policy looks at."""

    readable: bool
    smalltalk: str | None  # the small-talk intent named by rule or classifier, when there is nothing else
    asks_for_person: bool
    asked_again: bool
    classification: Classification
    intents: dict[str, KnownIntent]
    hits: Sequence[Hit]
    draft: Draft | None
    options: SiteOptions


@dataclass(frozen=True, slots=True)
class Decision:
    kind: ReplyKind
    rule: str
    reason: str
    confidence: float
    chosen: Candidate | None = None
    choices: tuple[Candidate, ...] = ()


def candidates(
    classification: Classification, intents: dict[str, KnownIntent], hits: Sequence[Hit]
) -> list[Candidate]:
    """Intents and articles that could answer, joined where they are the same thing; best first."""
    found: dict[str, Candidate] = {}
    for guess in classification.ranked:
        known = intents.get(guess.name)
        if known is None or known.name in SMALLTALK_INTENTS or known.name == PERSON_INTENT:
            continue
        if known.approved is None and known.article_slug is None:
            continue  # nothing to say about it
        key = known.article_slug or f"intent:{known.name}"
        probability = guess.confidence * classification.in_scope
        if key in found and found[key].probability >= probability:
            continue
        found[key] = Candidate(probability, known.title, known.name, known.article_slug, known.approved)
    for hit in hits:
        seen = found.get(hit.article_slug)
        if seen is None:
            found[hit.article_slug] = Candidate(hit.score, hit.title, None, hit.article_slug, None, hit)
        elif seen.hit is None:
            joined = 1 - (1 - seen.probability) * (1 - hit.score)
            found[hit.article_slug] = replace(seen, probability=joined, hit=hit)
    ranked = sorted(found.values(), key=lambda candidate: -candidate.probability)
    if len(ranked) > 1:
        best, second = ranked[0], ranked[1]
        # Only one answer is the right one: what the runner-up claims cannot also belong to the best.
        shared = best.probability + second.probability
        if shared > 1:
            ranked[0] = replace(best, probability=best.probability / shared)
            ranked[1] = replace(second, probability=second.probability / shared)
    return ranked


def decide(evidence: Evidence) -> Decision:
    """The reply kind with its rule and reason; the same evidence always gives the same decision."""
    options = evidence.options
    if evidence.asks_for_person:
        return Decision("person", "asked_for_person", "the customer asks for a person", 1.0)
    if evidence.smalltalk is not None:
        return Decision("smalltalk", "smalltalk", f"nothing but {evidence.smalltalk}", 1.0)
    if not evidence.readable:
        return Decision("unknown", "nothing_to_read", "no words in a language that was learned", 0.0)

    ranked = candidates(evidence.classification, evidence.intents, evidence.hits)
    best = ranked[0] if ranked else None
    if evidence.asked_again:
        return Decision(
            "unknown",
            "asked_again",
            "the same question came again after an answer: a person is offered instead of repeating it",
            best.probability if best else 0.0,
        )
    if best is None or best.probability < options.choice_floor:
        probability = best.probability if best else 0.0
        reason = f"the best candidate has {probability:.2f}, below {options.choice_floor:.2f}"
        return Decision("unknown", "not_known", reason if best else "no candidate at all", probability)

    near = tuple(candidate for candidate in ranked if candidate.probability >= options.choice_floor)[
        :MAX_CHOICES
    ]
    if best.probability >= options.sureness:
        runner_up = ranked[1].probability if len(ranked) > 1 else 0.0
        if best.probability - runner_up < TORN_MARGIN:
            reason = (
                f"{best.title!r} {best.probability:.2f} and {ranked[1].title!r} {runner_up:.2f} are too near"
            )
            return Decision("choices", "torn", reason, best.probability, best, near)
        return _sure(best, evidence)
    reason = (
        f"{best.title!r} has {best.probability:.2f}: "
        f"above {options.choice_floor:.2f}, below {options.sureness:.2f}"
    )
    return Decision("choices", "perhaps", reason, best.probability, best, near)


def _sure(best: Candidate, evidence: Evidence) -> Decision:
    mode = evidence.options.mode
    says = f"{best.title!r} has {best.probability:.2f} ≥ {evidence.options.sureness:.2f}"
    if best.approved is not None:
        return Decision("approved", "sure", f"{says}; its answer is approved", best.probability, best)
    draft = evidence.draft
    if draft is not None and mode == "generated_allowed" and draft.check.passed:
        return Decision("generated", "sure", f"{says}; the draft passed its check", best.probability, best)
    why = (
        "no draft was made"
        if draft is None
        else f"mode {mode} sends no draft"
        if mode != "generated_allowed"
        else "the draft failed its check: " + "; ".join(draft.check.reasons)
    )
    if best.hit is None:
        return Decision(
            "choices", "sure", f"{says}, but no passage of it was found", best.probability, best, (best,)
        )
    return Decision("passage", "sure", f"{says}; {why}", best.probability, best)
