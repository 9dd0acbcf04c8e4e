"""From calibrated evidence to a reply kind: one pure function.

The rules, in the order they are tried (the name of the one that decided is in the trace):

1. ``danger``             somebody's life is in danger (chatbot/dialogue/danger.py) → ``person``: what to do is said,
                          and a person called, also where one is asked for
2. ``asked_for_person``   the customer asks for a person → ``person``
3. ``smalltalk``          a greeting, thanks, a goodbye and nothing else → ``smalltalk``
4. ``drafts_only``        the site's bot answers no customer → ``person``; agents are still told what it would say
5. ``others_data``        another person's data are asked for → ``unknown``: they are not shared, and that is said
6. ``nothing_to_read``    no letters, or a script that was never learned → ``unknown``
7. ``too_long``           pages of text instead of a question → ``unknown``: the question is asked for
8. ``action``             the best candidate's intent is bound to an action, and its probability reaches ``sureness``,
                          or ``choice_floor`` where the message brings every detail of an action that changes nothing
                          → ``ask`` (chatbot/dialogue/acting.py asks, or answers; also when asked again: the answer
                          may be another by now)
9. ``asked_again``        the same question again after it was answered → ``person`` is offered (``unknown``)
10. ``not_known``         nothing reaches ``choice_floor`` → ``unknown``
11. ``torn``              the best candidate's probability reaches ``sureness``, and the next one's is within
                          TORN_MARGIN of it → ``choices``
12. ``sure``              the best candidate's probability reaches ``sureness`` → ``approved`` where its intent has
                          an approved answer, else ``generated`` where the mode allows it, the draft passed its
                          check and nothing holds it back (chatbot/dialogue/speaking.py), else ``passage``
13. ``sent_before``      … unless the customer was sent this very text before in answer to the same question: a
                          person is offered (``unknown``)
14. ``said_again``       … or in answer to another question: first what of it lies nearest to this one (said_again.py)
15. ``perhaps``          else ``choices`` among the candidates that reach ``choice_floor``

No rule here, for no model is asked: what is tapped (``tapped``, tapping.py), a message that says nothing but that the
answer did not help (``did_not_help``, unhelped.py), and one of details that nobody asked for (``only_details``).

A candidate is a thing that could answer: an intent (with its approved answer or its article) or an article found
by the search; chatbot/dialogue/weighing.py gives each its probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.speaking import Footing, held_back
from chatbot.dialogue.trace import Draft, ReplyKind
from chatbot.dialogue.weighing import Candidate

TORN_MARGIN = 0.12  # two candidates nearer than this are one question to the customer, not a guess
MAX_CHOICES = 4
Bound = Literal[
    "none", "bound", "complete"
]  # an action of the best candidate; complete: with all its details
_WORTH_SAYING = 0.3  # of the words more than is usual
ALIKE = 0.8  # cosine from which two questions ask for the same


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the policy looks at."""

    readable: bool
    smalltalk: str | None  # the small-talk intent named by rule or classifier, when there is nothing else
    asks_for_person: bool
    asked_again: bool
    candidates: Sequence[Candidate]  # weighed, best first
    draft: Draft | None
    options: SiteOptions
    action: Bound = "none"
    left_out: bool = False  # a draft was due and not written, because too many messages were being answered
    footing: Footing = field(default_factory=Footing)
    for_agents: bool = False  # an agent asks what the bot would say; no customer reads it
    too_long: bool = False
    dangers: Sequence[str] = ()  # to somebody's life, the most pressing first
    others_data: bool = False  # another person's data are asked for
    sent: frozenset[str] = frozenset()  # of the texts that may be sent those that were already
    again: Mapping[str, str] = field(default_factory=dict)  # … and how they are said again (said_again.py)


@dataclass(frozen=True, slots=True)
class Decision:
    kind: ReplyKind
    rule: str
    reason: str
    confidence: float
    chosen: Candidate | None = None
    choices: tuple[Candidate, ...] = ()
    told: str | None = None  # what of the chosen one's text is said, where not all of it


def decide(evidence: Evidence) -> Decision:
    """The reply kind with its rule and reason; the same evidence always gives the same decision."""
    options = evidence.options
    if evidence.dangers:
        told = "; ".join(f"danger to life: {kind}" for kind in evidence.dangers)
        also = "; the customer asks for a person, too" if evidence.asks_for_person else ""
        return Decision("person", "danger", told + also, 1.0)
    if evidence.asks_for_person:
        return Decision("person", "asked_for_person", "the customer asks for a person", 1.0)
    if evidence.smalltalk is not None:
        return Decision("smalltalk", "smalltalk", f"nothing but {evidence.smalltalk}", 1.0)
    if options.mode == "drafts_only" and not evidence.for_agents:
        return answers_nobody()
    if evidence.others_data:
        return Decision("unknown", "others_data", "another person's data are asked for", 1.0)
    if not evidence.readable:
        return Decision("unknown", "nothing_to_read", "no words in a language that was learned", 0.0)

    if evidence.too_long:
        return Decision("unknown", "too_long", "pages of text: what is asked is asked for", 0.0)

    ranked = evidence.candidates
    best = ranked[0] if ranked else None
    if best is not None and best.probability >= options.choice_floor and _acts(evidence):
        with_details = ", with every detail given" if evidence.action == "complete" else ""
        reason = f"{best.title!r} has {best.probability:.2f} and is bound to an action{with_details}"
        return Decision("ask", "action", reason, best.probability, best)
    if evidence.asked_again:
        return Decision(
            "unknown",
            "asked_again",
            "the same question came again after an answer: a person is offered instead of repeating it",
            best.probability if best else 0.0,
        )
    if best is None or best.probability < options.choice_floor:
        probability = best.probability if best else 0.0
        reason = (
            f"the best candidate has {_below(probability)}, below {options.choice_floor:.2f}{_new_to(best)}"
        )
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
        f"{best.title!r} has {_below(best.probability)}: "
        f"above {options.choice_floor:.2f}, below {options.sureness:.2f}{_new_to(best)}"
    )
    return Decision("choices", "perhaps", reason, best.probability, best, near)


def answers_nobody() -> Decision:
    """What a customer gets where the bot's drafts are for agents alone."""
    return Decision("person", "drafts_only", "the site's mode is drafts only: a person answers", 1.0)


def _below(probability: float) -> str:
    """Rounded down: "0.25, below 0.25" explains nothing."""
    return f"{math.floor(100 * probability + 1e-9) / 100:.2f}"


def _new_to(best: Candidate | None) -> str:
    """That agents did not know it when it was asked before, or nobody has used the question's words about it: where
    that is why its probability is low."""
    if best is None:
        return ""
    told = "; agents did not know when this was asked before" if best.not_known >= ALIKE else ""
    return told + (
        f"; {best.new_words:.0%} of the words are new to it" if best.strange >= _WORTH_SAYING else ""
    )


def _acts(evidence: Evidence) -> bool:
    if evidence.action != "bound":
        return evidence.action == "complete"
    best, *others = evidence.candidates
    runner_up = others[0].probability if others else 0.0
    return best.probability >= evidence.options.sureness and best.probability - runner_up >= TORN_MARGIN


def may_speak(best: Candidate, options: SiteOptions, footing: Footing) -> bool:
    """Whether a draft about ``best`` could be sent at all: only then is it worth its milliseconds."""
    return (
        options.mode == "generated_allowed"
        and best.approved is None
        and best.probability >= options.sureness
        and held_back(best, footing) is None
    )


def undecided(ranked: Sequence[Candidate], options: SiteOptions) -> bool:
    """Whether no candidate, weighed and best first, would be answered with."""
    return not ranked or ranked[0].probability < options.sureness


def draft_due(best: Candidate, options: SiteOptions, footing: Footing, *, for_agents: bool) -> bool:
    """Whether a draft about the best candidate is worth writing: agents are given one wherever there is something to
    say; a customer only where it could be sent."""
    wanted = for_agents and best.probability >= options.choice_floor
    return best.hit is not None and (wanted or may_speak(best, options, footing))


def _sure(best: Candidate, evidence: Evidence) -> Decision:
    mode = evidence.options.mode
    says = f"{best.title!r} has {best.probability:.2f} ≥ {evidence.options.sureness:.2f}"
    if best.approved is not None:
        return _sent("approved", best, best.approved, f"{says}; its answer is approved", evidence)
    draft, against = evidence.draft, held_back(best, evidence.footing)
    if draft is not None and draft.check.passed and may_speak(best, evidence.options, evidence.footing):
        return _sent("generated", best, draft.text, f"{says}; the draft passed its check", evidence)
    why = (
        "the draft was left out: too many messages at once"
        if evidence.left_out
        else f"mode {mode} sends no draft"
        if mode != "generated_allowed"
        else against
        if against is not None
        else "no draft was made"
        if draft is None
        else "the draft failed its check: " + "; ".join(draft.check.reasons)
    )
    if best.hit is None:
        return Decision(
            "choices", "sure", f"{says}, but no passage of it was found", best.probability, best, (best,)
        )
    return _sent("passage", best, best.hit.text, f"{says}; {why}", evidence)


def _sent(kind: ReplyKind, best: Candidate, text: str, reason: str, evidence: Evidence) -> Decision:
    """The decision to send ``text``, or of a text that was sent before what is wanted of it."""
    if text in evidence.sent:
        return Decision(
            "unknown",
            "sent_before",
            "the customer was sent this very text before: a person is offered instead of repeating it",
            best.probability,
        )
    again = evidence.again.get(text)
    if again is None:
        return Decision(kind, "sure", reason, best.probability, best)
    if kind == "approved":  # said as a person approved it, or not at all
        return Decision(
            kind, "said_again", f"{reason}; it was sent before", best.probability, best, told=text
        )
    why = "all of it was sent before: what is nearest to the question comes first"
    return Decision(kind, "said_again", f"{reason}; {why}", best.probability, best, told=again)
