"""Whether a sentence that the bot writes itself may be sent: it must stand firmer than a passage that is shown.

A wrong passage shows what it is about; a wrong sentence claims to be the answer. Of the demo's tuning conversations
(docs/measured.md) nearly every sentence that lacked a fact was another article's, or answered what nothing answers, and
nearly all of these came late in one: what a message that opens a conversation means, it says itself; the more was
asked before, the more it leans on, and the oftener it asks for what no article says.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatbot.dialogue.weighing import Candidate

# The probability that the best candidate needs where so many questions came before: none, one, two, three or more (the
# turns that are read hold no more than three). Of 975 replies written with 0.9 behind any, 0.4, 0.9, 1.8 and 4.7 %
# lacked a fact or answered what nothing answers. What nobody answers must not get a written reply, so being out of
# scope counts against it on top.
NEEDED = (0.7, 0.85, 0.9, 0.93)
OUTSIDE_COUNTS = 3.0


@dataclass(frozen=True, slots=True)
class Footing:
    """What a message stands on. ``in_scope``: the probability that it is about what the bot should know; ``behind``:
    how many questions came before it (`follow_ups.asked_before`); ``proven``: the release's generator passed its gate
    in the message's language (chatbot/learning/writing.py)."""

    in_scope: float = 1.0
    behind: int = 0
    proven: bool = True


def held_back(best: Candidate, footing: Footing) -> str | None:
    """Why a sentence about ``best`` may not be sent, in words; None: it may."""
    if not footing.proven:
        return "this release's written replies have not passed their measure in this language"
    needed = NEEDED[min(footing.behind, len(NEEDED) - 1)]
    needed += OUTSIDE_COUNTS * (1 - footing.in_scope)
    if best.probability >= needed:
        return None
    return f"a drafted sentence needs {min(1.0, needed):.2f} at {footing.in_scope:.2f} in scope"
