"""Whether a sentence that the bot writes itself may be sent: it must stand firmer than a passage that is shown.

A wrong passage shows what it is about; a wrong sentence claims to be the answer. Of the demo's tuning conversations
(docs/measured.md) nearly every sentence that lacked a fact was another article's, or answered what nothing answers, and
nearly all of these came behind something: what a message that opens a conversation means, it says itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatbot.dialogue.follow_ups import Follows
from chatbot.dialogue.weighing import Candidate

# The probability that the best candidate needs, less what is held against it, by what the message comes behind. Who got
# no answer mostly asks on about what the bot does not know.
NEEDED: Mapping[Follows, float] = {"nothing": 0.7, "an answer": 0.8, "no answer": 0.95}
# What nobody answers must not get a written reply, and there the message itself says more than the best candidate's
# probability: whether it is in scope, and whether its words were ever used about the article.
OUTSIDE_COUNTS = 2.0
STRANGE_COUNTS = 0.5
ALONE_IN_SCOPE = 0.7  # least probability of being in scope that the message has by itself
NEARER = 0.1  # more of a cosine: what was asked behind answers points to another article


@dataclass(frozen=True, slots=True)
class Footing:
    """What a message stands on. ``in_scope``: the probability that it is about what the bot should know; ``alone``: the
    same without what was said before."""

    in_scope: float = 1.0
    alone: float = 1.0
    follows: Follows = "nothing"


def held_back(best: Candidate, footing: Footing) -> str | None:
    """Why a sentence about ``best`` may not be sent, in words; None: it may."""
    if footing.alone < ALONE_IN_SCOPE:
        return f"without what was said before it is in scope at {footing.alone:.2f} alone"
    if best.asked_elsewhere - best.asked >= NEARER:
        return "what customers asked behind answers points to another article"
    against = OUTSIDE_COUNTS * (1 - footing.in_scope) + STRANGE_COUNTS * best.strange
    needed = NEEDED[footing.follows] + against
    if best.probability < needed:
        return (
            f"a drafted sentence needs {min(1.0, needed):.2f} at {footing.in_scope:.2f} in scope and "
            f"{best.new_words:.0%} of its words new to the article"
        )
    return None
